// The edge: source → encode → publish. Raw records come in, EventBatch messages go out, and every event is accounted
// for: after drain() or stop(), seen = published + spooled + dropped. The source is told to give up its room for a
// batch only once that is durable, so what an edge dies with is still there for the next.
import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import ringside from '../package.json' with { type: 'json' }
import type { Config } from '../runtime/config.ts'
import type { Log } from '../runtime/log.ts'
import type { Service } from '../runtime/service.ts'
import type { KafkaClient } from '../wire/client.ts'
import { topicName } from '../wire/topics.ts'
import type { EventClass, Ledger as LedgerRecord } from '../wire/types.ts'
import { EventCounters, type Loss } from './account/event-counters.ts'
import { SequenceTracker } from './account/sequence-tracker.ts'
import { Publisher } from './deliver/publisher.ts'
import { Spool } from './deliver/spool.ts'
import { createEncoder } from './encode/create-encoder.ts'
import type { BatchEncoder } from './encode/encoder.ts'
import type { Symbolizer } from './go/symbolizer.ts'
import { procOf } from './proc.ts'
import { DropWatch } from './source/drop-watch.ts'
import { eventClasses } from './source/raw-event.ts'
import type { Mark, Source, SourceStatistics } from './source/source.ts'
import { Summarizer } from './source/summarizer.ts'
import { callName } from './source/syscall-table.ts'
import { Watermark } from './source/watermark.ts'

export interface EdgeOptions {
  readonly config: Pick<Config, 'host' | 'topicPrefix' | 'edge'>
  readonly log: Log
  readonly source: Source
  readonly client: Pick<KafkaClient, 'producer'>
  /** Where batches wait while Kafka is away, opened before privileges are dropped; undefined: in memory only. */
  readonly spoolPath?: string | undefined
  /** Called before the first event is read; /proc has then told of every process that is there. */
  readonly dropPrivileges?: () => void
  /** Knows where calls were made from; undefined: it is not told. */
  readonly symbolizer?: Symbolizer | undefined
  /** Makes the source count what these classes emit, and the others do as configured. */
  readonly reduce?: (classes: readonly EventClass[]) => void
}

export interface EdgeService extends Service {
  /** The ledger of this moment: the kernel's counts since the programs were loaded, and what this run made of them. */
  ledger(): LedgerRecord
  /** Of this run: events that came out of the rings and were lost later. */
  losses(): readonly Loss[]
  /** Classes that are counted instead of told one by one. */
  readonly reduced: readonly EventClass[]
  /** Share of the fuller ring that is read and not durable yet; 0 where the source has no ring, or is closed. */
  readonly pressure: number
  /**
   * Has these classes counted instead of told one by one, and all others as configured; each change is a step in the
   * ledger and a line in the log.
   * @param reason for a person
   */
  setReduced(classes: readonly EventClass[], reason: string): void
}

/** Some 7,000 events: about 10 ms of work before timers and sockets get their turn. */
const readBytes = 1 << 20
/** Reads of a pass: the clock and the statistics are then read again. */
const readsPerPass = 8
const busyMs = 10
const quietMs = 50
/** An empty batch carries the clock, by which consumers close their windows. */
const heartbeatMs = 1000
const ledgerMs = 1000
/** Below the broker's default limit of 1,048,588 bytes a message, with room for what one event can add. */
const batchBytes = 900_000
/** With so many batches waiting only full ones are closed: small ones would not arrive any earlier. */
const patience = 8
/** What waits in memory beyond this goes to the spool. */
const memoryBytes = 8 << 20
/** With so much waiting nothing more is read: what is not released takes as much of the rings, read or unread. */
const maxMemoryBytes = 2 * memoryBytes
/** So long stop() waits for a Kafka that takes nothing. */
const stopMs = 5_000

const markOf = ({ begin }: Source, [security, rest, summaries]: readonly [number, number, number]): Mark => ({
  security: begin.security + security,
  rest: begin.rest + rest,
  summaries: begin.summaries + summaries
})

const microseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1000n)

class Edge implements EdgeService {
  readonly done: Promise<void>
  readonly #options: EdgeOptions
  readonly #source: Source
  readonly #run = randomUUID()
  readonly #buffer = new Uint8Array(readBytes)
  readonly #encoder: BatchEncoder
  readonly #tracker: SequenceTracker
  readonly #watermark = new Watermark()
  readonly #summarizer: Summarizer
  readonly #spool: Spool | undefined
  readonly #publisher: Publisher
  readonly #counters: EventCounters
  readonly #dropWatch: DropWatch
  #batches = 0
  #reduced: readonly EventClass[] = []
  /** When the open batch got its first event; undefined while it has none. Of performance.now(). */
  #openedAt: number | undefined
  #closedAt = performance.now()
  #ledgerAt = performance.now()
  #detached: Promise<void> | undefined
  /** What a source that is closed cannot be asked any more. */
  #last: { readonly statistics: SourceStatistics; readonly monotonicUs: number } | undefined

  constructor(options: EdgeOptions) {
    const { config, log, source, client } = options
    this.#options = options
    this.#source = source
    const limits = { events: config.edge.batchEvents, bytes: batchBytes }
    const proc = procOf(source.boot)
    const { symbolizer } = options
    this.#encoder = createEncoder(config.edge.codec, { buffer: this.#buffer, limits, proc, callName, symbolizer }, log)
    this.#tracker = new SequenceTracker(source)
    this.#summarizer = new Summarizer(source)
    if (options.spoolPath !== undefined) {
      this.#spool = new Spool({ path: options.spoolPath, ...config.edge.spool, run: this.#run, log })
    }
    this.#counters = new EventCounters(this.#run, this.#spool, source.statistics())
    this.#publisher = new Publisher({
      topic: topicName(config, 'events'),
      spool: this.#spool,
      memoryBytes,
      pressure: () => source.pressure ?? 0,
      connect: () => client.producer(),
      log,
      onPublished: (batch) => this.#counters.countPublished(batch)
    })
    this.#dropWatch = new DropWatch(log)
    options.dropPrivileges?.()
    const { previous } = source
    const taken = previous === undefined ? '' : `, from where run ${previous.run} left it after batch ${previous.batch}`
    log.info({ run: this.#run, boot: source.boot }, `reading ${source.description}${taken}`)
    // A successor must know whom it takes over from, even if nothing of this run gets durable.
    if (previous === undefined) source.release(source.begin, { run: this.#run, batch: 0, ...this.#tracker.account() })
    this.done = this.#work()
    // Whoever hosts the edge may look at `done` later than it rejects.
    this.done.catch(() => {})
  }

  counters(): Readonly<Record<string, number>> {
    const { events } = this.#encoder.progress
    return {
      ...this.#counters.counters(events, this.#tracker.dropped, this.#now().statistics),
      backlogBytes: this.#publisher.backlogBytes
    }
  }

  ledger(): LedgerRecord {
    const { statistics, monotonicUs } = this.#now()
    return this.#counters.ledger(statistics, monotonicUs)
  }

  losses(): readonly Loss[] {
    return this.#counters.losses()
  }

  get reduced(): readonly EventClass[] {
    return this.#reduced
  }

  get pressure(): number {
    return this.#last === undefined ? (this.#source.pressure ?? 0) : 0
  }

  setReduced(classes: readonly EventClass[], reason: string): void {
    const { reduce, log } = this.#options
    const changed = eventClasses.filter((name) => classes.includes(name) !== this.#reduced.includes(name))
    if (reduce === undefined || changed.length === 0 || this.#last !== undefined) return
    reduce(classes)
    this.#reduced = [...classes]
    const monotonic_us = this.#now().monotonicUs
    for (const name of changed) {
      const mode = classes.includes(name) ? 'count' : 'emit'
      this.#counters.addStep({ class: name, mode, reason, monotonic_us })
      const what = mode === 'count' ? 'are counted instead of told one by one' : 'are told as configured again'
      log.warn({ class: name, mode }, `calls of class ${name} ${what}: ${reason}`)
    }
  }

  async drain(): Promise<void> {
    this.#detached ??= this.#source.detach()
    await this.#detached
    await this.done
  }

  async stop(): Promise<void> {
    let published = this.#counters.publishedBatches
    const watch = setInterval(() => {
      if (this.#counters.publishedBatches === published) this.#publisher.giveUp()
      published = this.#counters.publishedBatches
    }, stopMs)
    try {
      await this.drain()
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the edge had failed before it was stopped')
    } finally {
      clearInterval(watch)
    }
  }

  #now(): { readonly statistics: SourceStatistics; readonly monotonicUs: number } {
    if (this.#last !== undefined) return this.#last
    const { monotonicNs } = this.#source.clock()
    return { statistics: this.#source.statistics(), monotonicUs: microseconds(monotonicNs) }
  }

  async #work(): Promise<void> {
    try {
      await this.#readUntilEnded()
    } catch (error) {
      setTimeout(() => this.#publisher.giveUp(), stopMs).unref()
      // What had been read before is whole, unless it is this that failed.
      if (this.#encoder.count > 0) this.#close(false)
      throw error
    } finally {
      await this.#publisher.idle()
      await this.#finish()
    }
  }

  get #mustWait(): boolean {
    if (this.#publisher.hasGivenUp) return false
    const waiting = this.#publisher.backlogBytes
    if (waiting >= maxMemoryBytes) return true
    if (this.#source.lossless !== true || this.#spool === undefined) return false
    return waiting + this.#spool.bytes >= Math.min(maxMemoryBytes, this.#options.config.edge.spool.maxBytes / 4)
  }

  async #readUntilEnded(): Promise<void> {
    for (let restMs: number = busyMs; ; ) {
      while (this.#mustWait) await sleep(busyMs)
      const { bytes, drained } = await this.#pass()
      const isSummarizing = this.#detached === undefined ? this.#summarizer.keepTime() : await this.#summarizer.flush()
      if (this.#source.ended) break
      // Nobody releases what holds up the last summaries.
      if (drained && !isSummarizing && this.#publisher.hasGivenUp) break
      restMs = bytes > 0 ? busyMs : Math.min(quietMs, restMs * 1.5)
      await (drained ? sleep(restMs) : setImmediate())
    }
    this.#tracker.update(this.#source.statistics(), true)
    this.#watermark.end(this.#source.clock(), this.#encoder.progress.newestUs)
    if (this.#encoder.count > 0) this.#close(false)
    // Its ledger is exact: nothing is on its way any more.
    await this.#publisher.idle()
    this.#close(true)
  }

  /** Reads what the rings hold now, and closes batches that are due. */
  async #pass(): Promise<{ bytes: number; drained: boolean }> {
    const reading = this.#source.clock()
    const statistics = this.#source.statistics()
    let bytes = 0
    let drained = false
    for (let reads = 0; reads < readsPerPass && !this.#mustWait; reads++) {
      const length = this.#source.read(this.#buffer)
      drained = length === 0
      if (drained) break
      bytes += length
      this.#take(length)
      await setImmediate()
    }
    // At its end the source says itself what there was: a recording may have been left in the middle.
    this.#tracker.update(statistics, drained && !this.#source.ended)
    if (drained) this.#watermark.drained(reading)
    this.#closeIfDue()
    this.#dropWatch.update(this.counters(), performance.now())
    return { bytes, drained }
  }

  /** A read filled so much of the buffer. */
  #take(length: number): void {
    this.#watermark.follow(this.#encoder.begin(length))
    for (let isFull = true; isFull; ) {
      isFull = this.#encoder.add()
      if (isFull) this.#close(false)
    }
    if (this.#encoder.count > 0) this.#openedAt ??= performance.now()
  }

  #closeIfDue(): void {
    const now = performance.now()
    const waiting = this.#publisher.backlogBatches
    const due =
      this.#openedAt === undefined
        ? !this.#publisher.isBehind && now - this.#closedAt >= heartbeatMs
        : waiting < patience && now - this.#openedAt >= this.#options.config.edge.batchMs
    if (due) this.#close(false)
  }

  #close(final: boolean): void {
    const reading = this.#source.clock()
    const { progress, byClass } = this.#encoder
    const { sequences, drops, account } = this.#tracker.close(progress, final)
    const { previous } = this.#source
    const batch = ++this.#batches
    const header = {
      host: this.#options.config.host,
      boot: this.#source.boot,
      agent: ringside.version,
      run: this.#run,
      batch,
      continues: batch > 1 || previous === undefined ? null : { run: previous.run, batch: previous.batch },
      final,
      clock: this.#watermark.clock(reading),
      counted_until_us: this.#summarizer.countedUntilUs(progress),
      sequences,
      drops,
      ledger: this.#dueLedger(this.#source.statistics(), microseconds(reading.monotonicNs), final)
    }
    const summaries = this.#encoder.count - byClass.reduce((a, b) => a + b, 0)
    const mark = markOf(this.#source, progress.taken)
    const onDurable = (): void => this.#source.release(mark, { run: this.#run, batch, ...account })
    this.#publisher.publish({ header, value: this.#encoder.encode(header), byClass, summaries, onDurable })
    this.#openedAt = undefined
    this.#closedAt = performance.now()
  }

  #dueLedger(statistics: SourceStatistics, monotonicUs: number, final: boolean): LedgerRecord | null {
    const now = performance.now()
    if (!final && this.#batches > 1 && now - this.#ledgerAt < ledgerMs) return null
    this.#ledgerAt = now
    const ledger = this.#counters.ledger(statistics, monotonicUs)
    this.#counters.clearSteps()
    return ledger
  }

  async #finish(): Promise<void> {
    const { log } = this.#options
    const left = await this.#publisher.close()
    const events = this.#counters.countUndelivered(left)
    const { spooled = 0, spoolBytes = 0 } = this.counters()
    this.#last = this.#now()
    this.#source.close()
    if ((this.#spool?.batches ?? 0) > 0) {
      log.warn({ spooled, spoolBytes }, `Kafka was away: ${spooled} events wait in the spool for the next run`)
    }
    this.#spool?.close()
    if (events > 0) log.error({ batches: left.length, events }, `Kafka was away: ${events} events are lost`)
  }
}

/**
 * Starts to read the source and publish its events; a Kafka that is away is waited for.
 * @returns counters are events unless named otherwise, and are named in docs/edge.md. `done` rejects with RingsideError
 * DATA when the source's bytes are no events.
 */
export const startEdge = async (options: EdgeOptions): Promise<EdgeService> => new Edge(options)
