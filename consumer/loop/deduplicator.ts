// Finds the events and summaries of a batch that were handled before. An edge without an answer from Kafka sends its
// batch again, and an edge that takes over from a dead one sends the last events again in batches of its own.
// (host, boot, cpu, seq) names an event, cpu -1 a summary. Only runs of one chain can use a name twice: a recording
// that is played again is another run. A name too old to be remembered counts as new: twice rather than never.
import { LRUCache } from 'lru-cache'
import { NumberSet } from '../../wire/number-set.ts'
import type { EventBatch } from '../../wire/types.ts'
import { cpuOfSummaries, NumberRanges, type Numbers } from './number-ranges.ts'

/** The fields of a batch that identify its rows; a ColumnBatch has them. */
export type NumberedBatch = Pick<EventBatch, 'host' | 'run' | 'batch' | 'continues' | 'final' | 'clock'> & Numbers

/** The new rows of a batch, by index; `nothing` when the batch itself was added before. */
export type Unseen = 'all' | 'nothing' | { readonly events: readonly number[]; readonly summaries: readonly number[] }

/** Time on the host's clock after which a gap expires. Duplicates arrive within seconds of it. */
const gapAgeUs = 120_000_000
/** A partition has far fewer; rows of an evicted host count as new. */
const maxHosts = 10_000
/** Of a host: its last run, those that died shortly before it, and those whose batches waited in a spool. */
const maxRuns = 16
/** 64 KiB when every second number is missing; one interval is typical. */
const maxIntervals = 4096

const createNumbers = (): NumberSet => new NumberSet({ maxIntervals, whenFull: 'evict' })

type Runs = LRUCache<string, RunChain>

const getOrCreate = <Value extends object>(cache: LRUCache<string, Value>, key: string, create: () => Value): Value => {
  const known = cache.get(key)
  if (known !== undefined) return known
  const value = create()
  cache.set(key, value)
  return value
}

/** An edge's run, and the runs that took over from it. */
class RunChain {
  /** Batch numbers by run. */
  readonly #runs = new LRUCache<string, NumberSet>({ max: maxRuns })
  /** Sequence numbers by cpu + 1: those of summaries are at 0. */
  #cpus: NumberSet[] = []
  #expiredUs = Number.NEGATIVE_INFINITY
  /** The highest numbers at the last expiry: intervals below them expire at the next. */
  #aging: number[] = []

  hasBatch({ run, batch }: NumberedBatch): boolean {
    return this.#runs.get(run)?.has(batch) ?? false
  }

  has(cpu: number, seq: number): boolean {
    return this.#cpus[cpu + 1]?.has(seq) ?? false
  }

  hasAnyOf({ cpus, firsts, lasts }: NumberRanges): boolean {
    return cpus.some((cpu, i) => this.#cpus[cpu + 1]?.hasAny(firsts[i] as number, lasts[i] as number) ?? false)
  }

  add({ run, batch, final, clock }: NumberedBatch, { cpus, firsts, lasts }: NumberRanges): void {
    getOrCreate(this.#runs, run, createNumbers).add(batch)
    for (const [i, cpu] of cpus.entries()) this.#numbersOf(cpu).add(firsts[i] as number, lasts[i] as number)
    if (clock.monotonic_us - this.#expiredUs >= gapAgeUs) this.#expire(clock.monotonic_us)
    // No edge takes over from a run that ended in order: its events are in no other batches.
    if (final) this.#cpus = []
  }

  #numbersOf(cpu: number): NumberSet {
    let numbers = this.#cpus[cpu + 1]
    if (numbers === undefined) {
      numbers = createNumbers()
      this.#cpus[cpu + 1] = numbers
    }
    return numbers
  }

  #expire(nowUs: number): void {
    this.#expiredUs = nowUs
    for (const [index, number] of this.#aging.entries()) this.#cpus[index]?.expireBelow(number)
    this.#aging = Array.from(this.#cpus, (numbers) => numbers?.last ?? 0)
  }
}

export class Deduplicator {
  /** By host, then by run. */
  readonly #hosts = new LRUCache<string, Runs>({ max: maxHosts })
  readonly #ranges = new NumberRanges()
  /** The batch that #ranges describes: add() mostly follows unseenOf() for the same batch. */
  #ranged: NumberedBatch | undefined

  /** @param batch its CPUs are below maxCpus */
  unseenOf(batch: NumberedBatch): Unseen {
    const chain = this.#chainOf(batch)
    if (chain.hasBatch(batch)) return 'nothing'
    this.#ranges.fill(batch)
    this.#ranged = batch
    if (!chain.hasAnyOf(this.#ranges)) return 'all'
    // The caller may remove rows from the batch in place.
    this.#ranged = undefined
    const { events, summaries } = batch
    const unseen = { events: [] as number[], summaries: [] as number[] }
    for (let i = 0; i < events.length; i++) {
      if (!chain.has(events.cpu[i] as number, events.seq[i] as number)) unseen.events.push(i)
    }
    for (let i = 0; i < summaries.length; i++) {
      if (!chain.has(cpuOfSummaries, summaries.seq[i] as number)) unseen.summaries.push(i)
    }
    return unseen
  }

  /** The batch was handled: from now on its rows are duplicates. */
  add(batch: NumberedBatch): void {
    if (this.#ranged !== batch) this.#ranges.fill(batch)
    this.#ranged = undefined
    this.#chainOf(batch).add(batch, this.#ranges)
  }

  #chainOf({ host, run, continues }: NumberedBatch): RunChain {
    const runs = getOrCreate(this.#hosts, host, (): Runs => new LRUCache({ max: maxRuns }))
    // Any number of edges that die before a batch of theirs is durable continue the same run: this use keeps it.
    const earlier = continues === null ? undefined : runs.get(continues.run)
    return getOrCreate(runs, run, () => earlier ?? new RunChain())
  }
}
