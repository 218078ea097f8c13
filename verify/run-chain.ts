// The account of one loading of the programs: the run that loaded them, and those that took over from it, one after
// the other. Batches enter in the order of the topic; numbers that are missing are held against declared drops.

import { formatCount } from '../runtime/format-number.ts'
import { classOfEvent, eventClasses } from '../wire/event-class.ts'
import { type Interval, NumberSet } from '../wire/number-set.ts'
import type { Drop, EventBatch, EventClass, Ledger, Predecessor } from '../wire/types.ts'
import { type Finding, finding, formatPlaces, maxPlaces, type Place } from './finding.ts'

type ByClass = Record<EventClass, number>

export interface Run {
  readonly run: string
  /** Number of the last batch that was read. */
  batch: number
  isFinal: boolean
  /** By CPU: the last number that its batches answer for. */
  readonly closed: Map<number, number>
}

/** What of a batch has to be taken back when another run comes in its place. */
interface Recent {
  readonly run: string
  readonly batch: number
  readonly drops: readonly Drop[]
  readonly events: ByClass
}

interface Cpu {
  readonly answered: NumberSet
  readonly found: NumberSet
}

/** What a dead edge published beyond its last durable batch: what was in flight, a few dozen at most. */
const maxRecent = 4096

/** 4 MB of a set. Each record of the largest ring may leave a gap until it is read: fewer than this. */
const maxIntervals = 1 << 18

/** Of one kind of defect there are many, and the first say it. */
const maxFindings = 100

const noEvents = (): ByClass => ({ process: 0, network: 0, file: 0, io: 0 })

/** Whether a later ledger has counted less: what programs count only grows. */
const isLess = (later: Ledger | null, earlier: Ledger | null): boolean =>
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
  /** Some of it was before what was read: drops may be declared for what is not known. */
  readonly isPartial: boolean
  readonly events = noEvents()
  /** Calls that summaries tell of. */
  readonly summarised = noEvents()
  summaries = 0
  /** Sequence numbers that batches answer for. */
  answered = 0
  ledger: Ledger | null = null
  /** The programs' counts began anew with a run that could not keep those before: they are not of all events. */
  areCountsAnew = false
  wallUs = 0
  readonly #cpus = new Map<number, Cpu>()
  readonly #drops = new Map<string, number>()
  /** Events that a dead run published and its successor has again, or had to give up. */
  readonly again = noEvents()
  /** What did not fit when it came. */
  readonly findings: Finding[] = []
  /** Further ones, which are only counted. */
  furtherFindings = 0
  readonly #settled: Place[] = []
  #settledCount = 0
  #recent: Recent[] = []

  constructor(isPartial: boolean) {
    this.isPartial = isPartial
  }

  get last(): Run {
    return this.runs.at(-1) as Run
  }

  get isFinal(): boolean {
    return this.last.isFinal
  }

  /** Drops that count, of a class or of all. */
  dropped(name?: EventClass, reason?: string): number {
    let sum = 0
    for (const [key, count] of this.#drops) {
      const [ofClass, ofReason] = key.split(' ')
      if ((name ?? ofClass) === ofClass && (reason ?? ofReason) === ofReason) sum += count
    }
    return sum
  }

  /** A run that takes the place of what `continues` left after its batch; undefined for the first. */
  begin(run: string, continues: Predecessor | undefined): Run {
    if (continues !== undefined) this.#cutBack(continues, run)
    const begun: Run = { run, batch: 0, isFinal: false, closed: new Map() }
    this.runs.push(begun)
    return begun
  }

  /**
   * A batch that is no repeat.
   * @returns events and summaries in it that were there before
   */
  add(run: Run, batch: EventBatch): number {
    for (const range of batch.sequences) this.#answer(run, batch.batch, range)
    let duplicates = 0
    const events = noEvents()
    for (const event of batch.events) {
      const name = classOfEvent(event)
      events[name]++
      if (this.#cpu(event.cpu).found.add(event.seq) === 1) this.events[name]++
      else duplicates++
    }
    for (const summary of batch.summaries) {
      if (this.#cpu(-1).found.add(summary.seq) === 0) {
        duplicates++
        continue
      }
      this.summaries++
      this.summarised[summary.class] += summary.count
    }
    this.#declare(batch.drops, 1)
    this.#recent.push({ run: batch.run, batch: batch.batch, drops: batch.drops, events })
    if (this.#recent.length > 2 * maxRecent) this.#recent = this.#recent.slice(-maxRecent)
    run.batch = batch.batch
    run.isFinal = batch.final
    this.areCountsAnew ||= isLess(batch.ledger, this.ledger)
    if (batch.final || batch.ledger !== null) this.ledger = batch.ledger
    this.wallUs = batch.clock.wall_us
    return duplicates
  }

  /** Numbers that batches answer for and that neither an event nor a summary has; of one CPU or of all. */
  missing(only?: number): { count: number; places: Place[] } {
    let count = only === undefined ? this.#settledCount : 0
    const places = only === undefined ? [...this.#settled] : []
    for (const [cpu, { answered, found }] of this.#cpus) {
      if (only !== undefined && cpu !== only) continue
      for (const { first, last } of answered.without(found)) {
        count += last - first + 1
        if (places.length < maxPlaces) places.push({ cpu, first, last })
      }
    }
    return { count, places }
  }

  /** Events whose numbers no batch answers for. */
  outside(): { count: number; places: Place[] } {
    let count = 0
    const places: Place[] = []
    for (const [cpu, { answered, found }] of this.#cpus) {
      const begin = this.isPartial ? answered.intervals().next().value?.first : undefined
      for (const { first, last } of found.without(answered)) {
        if (begin !== undefined && last < begin) continue
        count += last - first + 1
        if (places.length < maxPlaces) places.push({ cpu, first, last })
      }
    }
    return { count, places }
  }

  #cpu(cpu: number): Cpu {
    let known = this.#cpus.get(cpu)
    if (known === undefined) {
      const answered = new NumberSet({ maxIntervals, whenFull: 'fill' })
      const onFill = (gap: Interval) => this.#settle(cpu, answered, gap)
      known = { answered, found: new NumberSet({ maxIntervals, whenFull: 'fill', onFill }) }
      this.#cpus.set(cpu, known)
    }
    return known
  }

  #settle(cpu: number, answered: NumberSet, { first, last }: Interval): void {
    // What no batch answers for has been reported already.
    this.#settledCount += last - first + 1 - answered.add(first, last)
    if (this.#settled.length < maxPlaces) this.#settled.push({ cpu, first, last })
  }

  #answer(run: Run, batch: number, { cpu, first, last }: Place): void {
    const { answered } = this.#cpu(cpu)
    const before = run.closed.get(cpu) ?? answered.last
    const text = (what: string): string => `run ${run.run}: ${what}, read before batch ${batch} (after ${run.batch})`
    if (before !== undefined && first > before + 1) {
      const count = first - before - 1
      const places = [{ cpu, first: before + 1, last: first - 1 }]
      const what = `no batch answers for ${formatCount(count)} numbers (${formatPlaces(places, count)})`
      const meaning = 'a batch is not in the topic: what it held and declared is unknown'
      this.#note(finding('hole', `${text(what)}: ${meaning}`, { run: run.run, count, places }))
    }
    const end = run.closed.get(cpu)
    if (end !== undefined && first <= end) {
      const count = Math.min(end, last) - first + 1
      const places = [{ cpu, first, last: Math.min(end, last) }]
      const what = `two batches answer for ${formatCount(count)} numbers (${formatPlaces(places, count)})`
      this.#note(finding('overlap', `${text(what)}: the edge miscounted`, { run: run.run, count, places }))
    }
    this.answered += answered.add(first, last)
    run.closed.set(cpu, last)
  }

  #note(found: Finding): void {
    if (this.findings.length < maxFindings) this.findings.push(found)
    else this.furtherFindings++
  }

  #declare(drops: readonly Drop[], sign: 1 | -1): void {
    for (const drop of drops) {
      const key = `${drop.class} ${drop.reason}`
      this.#drops.set(key, (this.#drops.get(key) ?? 0) + sign * drop.count)
    }
  }

  /** What came after the last durable batch of a dead run counts no more. */
  #cutBack({ run, batch }: Predecessor, successor: string): void {
    const at = this.runs.findIndex((known) => known.run === run)
    const dead = new Set(this.runs.slice(at + 1).map((known) => known.run))
    const isSuperseded = (recent: Recent): boolean =>
      dead.has(recent.run) || (recent.run === run && recent.batch > batch)
    const isWhole = this.#recent.length < maxRecent || !isSuperseded(this.#recent[0] as Recent)
    if (!isWhole) {
      const text = `run ${successor} goes back to batch ${batch} of run ${run}, further than drops are remembered`
      this.#note(finding('unclear_takeover', text, { run: successor }))
    }
    for (const recent of this.#recent) {
      if (!isSuperseded(recent)) continue
      this.#declare(recent.drops, -1)
      for (const name of eventClasses) this.again[name] += recent.events[name]
    }
    this.#recent = this.#recent.filter((recent) => !isSuperseded(recent))
  }
}
