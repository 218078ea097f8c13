// What became of the events, as numbers: the counters that a host of the edge reports, and the ledger that travels in
// the stream. After drain() or stop(): seen = published + spooled + dropped.
import type { DropReason, EventClass, Ledger as LedgerRecord, Step } from '../../wire/types.ts'
import type { PublishedBatch } from '../deliver/publisher.ts'
import type { Spool } from '../deliver/spool.ts'
import { eventClasses } from '../source/raw-event.ts'
import type { SourceStatistics } from '../source/source.ts'

/** Of a run: events that came out of the rings and were lost later. */
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

export class Tally {
  readonly #run: string
  readonly #spool: Spool | undefined
  /** What the programs had counted when this run began. */
  readonly #begun: SourceStatistics
  readonly #published = eventClasses.map(() => 0)
  readonly #abandoned = eventClasses.map(() => 0)
  #publishedEarlier = 0
  #batches = 0
  #bytes = 0
  #steps: Step[] = []

  constructor(run: string, spool: Spool | undefined, begun: SourceStatistics) {
    this.#run = run
    this.#spool = spool
    this.#begun = begun
  }

  /** Batches that Kafka acknowledged. */
  get batches(): number {
    return this.#batches
  }

  /** Kafka acknowledged a batch. */
  published(batch: PublishedBatch): void {
    if (batch.run === this.#run) addTo(this.#published, batch.byClass)
    else this.#publishedEarlier += sum(batch.byClass)
    this.#batches++
    this.#bytes += batch.value.length
  }

  /** Neither Kafka nor a disk took these. @returns how many events they hold */
  abandoned(batches: readonly PublishedBatch[]): number {
    for (const { byClass } of batches) addTo(this.#abandoned, byClass)
    return sum(this.#abandoned)
  }

  stepped(step: Step): void {
    this.#steps.push(step)
  }

  /**
   * @param events that came out of the rings, by class
   * @param lost in the rings, by class
   */
  counters(
    events: readonly number[],
    lost: readonly number[],
    statistics: SourceStatistics
  ): Readonly<Record<string, number>> {
    const spool = this.#spool?.account
    const dropped = lost.map((count, i) => {
      return count + (this.#abandoned[i] as number) + (spool?.evicted[i] ?? 0) + (spool?.unreadable[i] ?? 0)
    })
    return {
      seen: sum(events) + sum(lost),
      published: sum(this.#published),
      published_earlier: this.#publishedEarlier,
      spooled: sum(spool?.spooled ?? []),
      dropped: sum(dropped),
      ...Object.fromEntries(eventClasses.map((name, i) => [`dropped_${name}`, dropped[i] as number])),
      dropped_ring_full: sum(lost),
      dropped_undelivered: sum(this.#abandoned),
      dropped_spool_full: sum(spool?.evicted ?? []),
      dropped_spool_unreadable: sum(spool?.unreadable ?? []),
      lost_earlier: sum(spool?.earlierEvicted ?? []),
      off: total(statistics.off) - total(this.#begun.off),
      counted: total(statistics.counted) - total(this.#begun.counted),
      uncounted: (statistics.uncounted ?? 0) - (this.#begun.uncounted ?? 0),
      unaccounted: (statistics.unaccounted ?? 0) - (this.#begun.unaccounted ?? 0),
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
      ...of('undelivered', this.#abandoned),
      ...of('spool_full', spool?.evicted),
      ...of('spool_unreadable', spool?.unreadable)
    ]
  }

  /** The ledger of this moment, with the steps since the one that was last taken into a batch. */
  ledger(statistics: SourceStatistics, monotonicUs: number): LedgerRecord {
    const spooled = this.#spool?.account.spooled
    return {
      monotonic_us: monotonicUs,
      untracked: statistics.unaccounted ?? 0,
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
      steps: [...this.#steps]
    }
  }

  /** The steps are told. */
  told(): void {
    this.#steps = []
  }
}
