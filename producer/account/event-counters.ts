// Event counters by class and outcome: for the edge's log and metrics, and as the ledger in the stream. After drain()
// or stop(), seen = published + spooled + dropped.
import { eventClasses } from '../../wire/event-class.ts'
import type { BoundStep, DropReason, EventClass, Ledger as LedgerRecord, Step } from '../../wire/types.ts'
import type { PublishedBatch } from '../deliver/publisher.ts'
import type { Spool } from '../deliver/spool.ts'
import type { LimitedCalls, SourceStatistics } from '../source/source.ts'
import { LargestLimited } from './largest-limited.ts'

/** Events of this run that were dropped after they had left the rings. */
export interface Loss {
  readonly class: EventClass
  readonly reason: DropReason | 'undelivered' | 'spool_unreadable'
  readonly count: number
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)

const addTo = (totals: number[], counts: readonly number[]): void => {
  counts.forEach((count, i) => {
    totals[i] = (totals[i] as number) + count
  })
}

const total = (counts: Readonly<Record<EventClass, number>> | undefined): number => sum(Object.values(counts ?? {}))

export class EventCounters {
  readonly #run: string
  readonly #spool: Spool | undefined
  /** The source's statistics at the start of this run. */
  readonly #initial: SourceStatistics
  readonly #published = eventClasses.map(() => 0)
  readonly #undelivered = eventClasses.map(() => 0)
  #publishedEarlier = 0
  #batches = 0
  #bytes = 0
  #steps: Step[] = []
  #boundSteps: BoundStep[] = []
  readonly #limited = new LargestLimited()

  constructor(run: string, spool: Spool | undefined, initial: SourceStatistics) {
    this.#run = run
    this.#spool = spool
    this.#initial = initial
  }

  /** Batches that Kafka acknowledged. */
  get publishedBatches(): number {
    return this.#batches
  }

  /** Kafka acknowledged a batch. */
  countPublished(batch: PublishedBatch): void {
    if (batch.run === this.#run) addTo(this.#published, batch.byClass)
    else this.#publishedEarlier += sum(batch.byClass)
    this.#batches++
    this.#bytes += batch.value.length
  }

  /**
   * Neither Kafka nor the spool took these batches.
   * @returns the number of their events
   */
  countUndelivered(batches: readonly PublishedBatch[]): number {
    for (const { byClass } of batches) addTo(this.#undelivered, byClass)
    return sum(this.#undelivered)
  }

  addStep(step: Step): void {
    this.#steps.push(step)
  }

  addBoundStep(step: BoundStep): void {
    this.#boundSteps.push(step)
  }

  /** @param rows of a second's summaries */
  addLimited(rows: readonly LimitedCalls[]): void {
    this.#limited.add(rows)
  }

  /**
   * @param events read from the rings, by class
   * @param ringDrops events dropped in the rings, by class
   */
  counters(
    events: readonly number[],
    ringDrops: readonly number[],
    statistics: SourceStatistics
  ): Readonly<Record<string, number>> {
    const spool = this.#spool?.account
    const dropped = ringDrops.map((count, i) => {
      return count + (this.#undelivered[i] as number) + (spool?.evicted[i] ?? 0) + (spool?.unreadable[i] ?? 0)
    })
    return {
      seen: sum(events) + sum(ringDrops),
      published: sum(this.#published),
      published_earlier: this.#publishedEarlier,
      spooled: sum(spool?.spooled ?? []),
      dropped: sum(dropped),
      ...Object.fromEntries(eventClasses.map((name, i) => [`dropped_${name}`, dropped[i] as number])),
      dropped_ring_full: sum(ringDrops),
      dropped_undelivered: sum(this.#undelivered),
      dropped_spool_full: sum(spool?.evicted ?? []),
      dropped_spool_unreadable: sum(spool?.unreadable ?? []),
      evicted_earlier: sum(spool?.earlierEvicted ?? []),
      off: total(statistics.off) - total(this.#initial.off),
      counted: total(statistics.counted) - total(this.#initial.counted),
      uncounted: (statistics.uncounted ?? 0) - (this.#initial.uncounted ?? 0),
      limited: (statistics.limited ?? 0) - (this.#initial.limited ?? 0),
      untracked: (statistics.untracked ?? 0) - (this.#initial.untracked ?? 0),
      batches: this.#batches,
      bytes: this.#bytes,
      spoolBytes: this.#spool?.bytes ?? 0
    }
  }

  losses(): Loss[] {
    const spool = this.#spool?.account
    const of = (reason: Loss['reason'], counts: readonly number[] = []): Loss[] =>
      eventClasses.map((name, i) => ({ class: name, reason, count: counts[i] ?? 0 }))
    return [
      ...of('undelivered', this.#undelivered),
      ...of('spool_full', spool?.evicted),
      ...of('spool_unreadable', spool?.unreadable)
    ]
  }

  /**
   * The ledger of this moment, with the budget's steps and the limited processes since clearSteps().
   * @param processEvents the bound of a process, in events per second
   */
  ledger(statistics: SourceStatistics, monotonicUs: number, processEvents: number): LedgerRecord {
    const spooled = this.#spool?.account.spooled
    const { user, system } = process.cpuUsage()
    return {
      monotonic_us: monotonicUs,
      untracked: statistics.untracked ?? 0,
      uncounted: statistics.uncounted ?? 0,
      classes: eventClasses.map((name, i) => ({
        class: name,
        off: statistics.off?.[name] ?? 0,
        counted: statistics.counted?.[name] ?? 0,
        emitted: statistics.emitted[name],
        dropped: statistics.dropped[name],
        published: this.#published[i] as number,
        spooled: spooled?.[i] ?? 0
      })),
      steps: [...this.#steps],
      limited: statistics.limited ?? 0,
      process_events: processEvents,
      bound_steps: [...this.#boundSteps],
      limited_processes: this.#limited.rows(),
      cpu_process_us: user + system,
      cpu_programs_us: Math.round((statistics.programTimeNs ?? -1000) / 1000)
    }
  }

  /** A batch has the steps. */
  clearSteps(): void {
    this.#steps = []
    this.#boundSteps = []
    this.#limited.clear()
  }
}
