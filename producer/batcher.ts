// Encodes the records of each read and closes batches: every batch gets its header (clock, sequence ranges, drops,
// ledger) and goes to the publisher. Once it is durable, the source releases its records.
import { lanes } from '../bpf/event.ts'
import ringside from '../package.json' with { type: 'json' }
import type { Config } from '../runtime/config.ts'
import type { Ledger } from '../wire/types.ts'
import type { EventCounters } from './account/event-counters.ts'
import type { SequenceTracker } from './account/sequence-tracker.ts'
import type { Publisher } from './deliver/publisher.ts'
import type { BatchEncoder } from './encode/encoder.ts'
import { microsecondsOf } from './source/numbers.ts'
import type { ClockReading, Mark, Source, SourceStatistics } from './source/source.ts'
import type { Summarizer } from './source/summarizer.ts'
import { Watermark } from './source/watermark.ts'

export interface BatcherOptions {
  readonly config: Pick<Config, 'host' | 'edge'>
  readonly run: string
  readonly source: Source
  readonly encoder: BatchEncoder
  readonly tracker: SequenceTracker
  readonly summarizer: Summarizer
  readonly counters: EventCounters
  /** The bound of a process now, in events per second. */
  readonly processEvents: () => number
  readonly publisher: Publisher
}

/** An empty batch carries the clock, by which consumers close their windows. */
const heartbeatMs = 1000
const ledgerMs = 1000
/** With so many batches waiting for Kafka, a batch is closed only when full: a small one would not arrive earlier. */
const maxWaitingBatches = 8

const markOf = ({ begin }: Source, taken: readonly number[]): Mark =>
  Object.fromEntries(lanes.map((name, i) => [name, begin[name] + (taken[i] ?? 0)])) as Mark

export class Batcher {
  readonly #options: BatcherOptions
  readonly #watermark = new Watermark()
  #batches = 0
  /** performance.now() at the first record of the open batch; undefined while it is empty. */
  #openedAt: number | undefined
  #closedAt = performance.now()
  #ledgerAt = performance.now()

  constructor(options: BatcherOptions) {
    this.#options = options
  }

  /** Adds the records of a read that filled the first `length` bytes of the encoder's buffer. */
  add(length: number): void {
    const { encoder } = this.#options
    this.#watermark.follow(encoder.begin(length))
    for (let isFull = true; isFull; ) {
      isFull = encoder.add()
      if (isFull) this.#close(false)
    }
    if (encoder.count > 0) this.#openedAt ??= performance.now()
  }

  /**
   * After each pass of reads: closes the open batch if it is due.
   * @param reading and statistics: of the source before the pass
   * @param drained true when the pass found the rings empty
   */
  endPass(reading: ClockReading, statistics: SourceStatistics, drained: boolean): void {
    const { source, tracker } = this.#options
    // A recording's statistics may be ahead of its records; at its end finish() uses exact ones.
    tracker.update(statistics, drained && !source.ended)
    if (drained) this.#watermark.drained(reading)
    if (this.#isDue) this.#close(false)
  }

  /** Closes the open batch unless it is empty. */
  closeOpen(): void {
    if (this.#options.encoder.count > 0) this.#close(false)
  }

  /** The source has ended: closes the open batch, and the final one, whose ledger counts every event as durable. */
  async finish(): Promise<void> {
    const { source, encoder, tracker, publisher } = this.#options
    tracker.update(source.statistics(), true)
    this.#watermark.end(source.clock(), encoder.progress.newestUs)
    this.closeOpen()
    await publisher.idle()
    this.#close(true)
  }

  get #isDue(): boolean {
    const { config, publisher } = this.#options
    const now = performance.now()
    if (this.#openedAt === undefined) return !publisher.isBehind && now - this.#closedAt >= heartbeatMs
    return publisher.backlogBatches < maxWaitingBatches && now - this.#openedAt >= config.edge.batchMs
  }

  #close(final: boolean): void {
    const { config, run, source, encoder, tracker, summarizer, publisher } = this.#options
    const reading = source.clock()
    const { progress, byClass } = encoder
    const { sequences, drops, account } = tracker.close(progress, final)
    const { previous } = source
    const batch = ++this.#batches
    const header = {
      host: config.host,
      boot: source.boot,
      agent: ringside.version,
      run,
      batch,
      continues: batch > 1 || previous === undefined ? null : { run: previous.run, batch: previous.batch },
      final,
      clock: this.#watermark.clock(reading),
      counted_until_us: summarizer.countedUntilUs(progress),
      sequences,
      drops,
      ledger: this.#ledgerIfDue(source.statistics(), microsecondsOf(reading.monotonicNs), final)
    }
    const summaries = encoder.count - byClass.reduce((a, b) => a + b, 0)
    const mark = markOf(source, progress.taken)
    const onDurable = (): void => source.release(mark, { run, batch, ...account })
    publisher.publish({ header, value: encoder.encode(header), byClass, summaries, onDurable })
    this.#openedAt = undefined
    this.#closedAt = performance.now()
  }

  #ledgerIfDue(statistics: SourceStatistics, monotonicUs: number, final: boolean): Ledger | null {
    const { counters, processEvents } = this.#options
    const now = performance.now()
    if (!final && this.#batches > 1 && now - this.#ledgerAt < ledgerMs) return null
    this.#ledgerAt = now
    const ledger = counters.ledger(statistics, monotonicUs, processEvents())
    counters.clearSteps()
    return ledger
  }
}
