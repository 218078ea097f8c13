// The batches of a run and of the runs that took over from it, in the order of the topic → their sequence numbers,
// declared drops and last ledger, which compare.ts compares with each other.
import { formatCount } from '../runtime/format-number.ts'
import { classOfEvent } from '../wire/event-class.ts'
import type { EventBatch, Ledger, Predecessor } from '../wire/types.ts'
import { noneByClass } from './by-class.ts'
import { DeclaredDrops, maxRecentBatches } from './declared-drops.ts'
import { type Finding, finding, formatPlaces, type Place, quantity } from './finding.ts'
import { SequenceNumbers } from './sequence-numbers.ts'

export interface Run {
  readonly run: string
  /** Number of the last batch that was read. */
  batch: number
  isFinal: boolean
  /** By CPU: the last sequence number that its batches account for, and the number of the batch that does. */
  readonly accountedUntil: Map<number, { readonly seq: number; readonly batch: number }>
}

/** Findings of one defect repeat: the first ones are enough. */
const maxFindings = 100

/** True when a later ledger has lower counts: the programs were loaded anew, without the counts of those before. */
const isReset = (later: Ledger | null, earlier: Ledger | null): boolean =>
  later !== null &&
  earlier !== null &&
  later.monotonic_us > earlier.monotonic_us &&
  later.classes.some(({ class: name, off, counted, emitted, dropped }) => {
    const before = earlier.classes.find((row) => row.class === name)
    return (
      before !== undefined &&
      (off < before.off || counted < before.counted || emitted < before.emitted || dropped < before.dropped)
    )
  })

export class RunChain {
  readonly runs: Run[] = []
  /** Its first batches were not read. */
  readonly isPartial: boolean
  /** In the topic, without duplicates. */
  readonly events = noneByClass()
  /** Calls in summaries. */
  readonly summarised = noneByClass()
  summaries = 0
  /** Sequence numbers that batches account for. */
  accounted = 0
  readonly numbers = new SequenceNumbers()
  readonly drops = new DeclaredDrops()
  ledger: Ledger | null = null
  /** A run that took over could not keep the programs' counts: the last ledger covers a part of the chain. */
  isLedgerReset = false
  /** The last batch's time, microseconds since the epoch. */
  wallUs = 0
  /** Holes, overlaps and unclear takeovers. */
  readonly findings: Finding[] = []
  /** Findings beyond the first maxFindings. */
  unlistedFindings = 0

  constructor(isPartial: boolean) {
    this.isPartial = isPartial
  }

  get last(): Run {
    return this.runs.at(-1) as Run
  }

  get isFinal(): boolean {
    return this.last.isFinal
  }

  /** @param predecessor undefined for the first run of the chain */
  begin(run: string, predecessor: Predecessor | undefined): Run {
    if (predecessor !== undefined) this.#supersede(predecessor, run)
    const begun: Run = { run, batch: 0, isFinal: false, accountedUntil: new Map() }
    this.runs.push(begun)
    return begun
  }

  /**
   * @param batch later than the run's batches so far
   * @returns duplicate events and summaries in it
   */
  add(run: Run, batch: EventBatch): number {
    for (const range of batch.sequences) this.#account(run, batch.batch, range)
    let duplicates = 0
    const events = noneByClass()
    for (const event of batch.events) {
      const name = classOfEvent(event)
      events[name]++
      if (this.numbers.receive(event.cpu, event.seq)) this.events[name]++
      else duplicates++
    }
    for (const summary of batch.summaries) {
      if (!this.numbers.receive(-1, summary.seq)) {
        duplicates++
        continue
      }
      this.summaries++
      this.summarised[summary.class] += summary.count
    }
    this.drops.add(batch, events)
    run.batch = batch.batch
    run.isFinal = batch.final
    this.isLedgerReset ||= isReset(batch.ledger, this.ledger)
    if (batch.final || batch.ledger !== null) this.ledger = batch.ledger
    this.wallUs = batch.clock.wall_us
    return duplicates
  }

  #account({ run, accountedUntil }: Run, batch: number, range: Place): void {
    const { cpu, first, last } = range
    const end = accountedUntil.get(cpu)
    const before = end?.seq ?? this.numbers.lastAccounted(cpu)
    if (before !== undefined && first > before + 1) {
      const count = first - before - 1
      const places = [{ cpu, first: before + 1, last: first - 1 }]
      const text =
        `run ${run}: no batch accounts for ${quantity(count, 'sequence number')} (${formatPlaces(places, count)}) ` +
        `before batch ${batch}${end === undefined ? '' : ` (after ${end.batch})`}: a batch is not in the topic, its events and drops are unknown`
      this.#add(finding('hole', text, { run, count, places }))
    }
    if (end !== undefined && first <= end.seq) {
      const count = Math.min(end.seq, last) - first + 1
      const places = [{ cpu, first, last: Math.min(end.seq, last) }]
      const text =
        `run ${run}: batch ${batch} (after ${end.batch}) accounts for ${quantity(count, 'sequence number')} ` +
        `(${formatPlaces(places, count)}) that an earlier batch accounts for: the edge miscounted`
      this.#add(finding('overlap', text, { run, count, places }))
    }
    this.accounted += this.numbers.account(range)
    accountedUntil.set(cpu, { seq: last, batch })
  }

  #supersede(predecessor: Predecessor, run: string): void {
    const at = this.runs.findIndex((known) => known.run === predecessor.run)
    const later = new Set(this.runs.slice(at + 1).map((known) => known.run))
    if (this.drops.supersede(predecessor, later)) return
    const text =
      `run ${run}: took over after batch ${predecessor.batch} of run ${predecessor.run}, more than ` +
      `${formatCount(maxRecentBatches)} batches back: drops may be counted twice`
    this.#add(finding('unclear_takeover', text, { run }))
  }

  #add(found: Finding): void {
    if (this.findings.length < maxFindings) this.findings.push(found)
    else this.unlistedFindings++
  }
}
