// The edge: source → decode → encode → publish. Raw events come in, EventBatch messages go out, and
// every event is accounted for: after drain() or stop(), seen = published + spooled + dropped.
import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import ringside from '../package.json' with { type: 'json' }
import type { Config } from '../runtime/config.ts'
import type { Log } from '../runtime/log.ts'
import type { Service } from '../runtime/service.ts'
import type { KafkaClient } from '../wire/client.ts'
import { encode } from '../wire/codec.ts'
import { topicName } from '../wire/topics.ts'
import { BatchBuilder } from './batch.ts'
import { DropWatch } from './drop-watch.ts'
import { Ledger } from './ledger.ts'
import { microsecondsAt } from './numbers.ts'
import { procOf } from './proc.ts'
import { ProcessTable } from './process-table.ts'
import { type PublishedBatch, Publisher } from './publish.ts'
import { eventClasses, eventField as field, isSecurityClass, RawEvents } from './raw-event.ts'
import { SocketTable } from './socket-table.ts'
import { type Mark, noMark, type Source, type SourceStatistics } from './source.ts'
import { Spool } from './spool.ts'
import { walkRecords } from './walk.ts'
import { Watermark } from './watermark.ts'

export interface EdgeOptions {
  readonly config: Pick<Config, 'host' | 'topicPrefix' | 'edge'>
  readonly log: Log
  readonly source: Source
  readonly client: Pick<KafkaClient, 'producer'>
  /** Where batches wait while Kafka is away, opened before privileges are dropped; undefined: in memory only. */
  readonly spoolPath?: string | undefined
  /** Called before the first event is read; /proc has then told of every process that is there. */
  readonly dropPrivileges?: () => void
}

/** Some 7,000 events: about 10 ms of work before timers and sockets get their turn. */
const readBytes = 1 << 20
/** Reads of a pass: the clock and the statistics are then read again. */
const readsPerPass = 8
const busyMs = 10
const quietMs = 50
/** An empty batch carries the clock, by which consumers close their windows. */
const heartbeatMs = 1000
/** Below the broker's default limit of 1,048,588 bytes a message, with room for what one event can add. */
const batchBytes = 900_000
/** With so many batches waiting only full ones are closed: small ones would not arrive any earlier. */
const patience = 8
/** By enum ringside_class: the share of the backlog beyond which a class is refused; security calls last. */
const backlogShare = [1, 1, 0.75, 0.5] as const
/** What waits in memory beyond this, or this share of the backlog, goes to the spool. */
const memoryBytes = 8 << 20
const memoryShare = 0.25
/** So long stop() waits for a Kafka that takes nothing. */
const stopMs = 5_000

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)
const addTo = (totals: number[], counts: readonly number[]): void => {
  counts.forEach((count, i) => {
    totals[i] = (totals[i] as number) + count
  })
}

class Edge implements Service {
  readonly done: Promise<void>
  readonly #options: EdgeOptions
  readonly #source: Source
  readonly #run = randomUUID()
  readonly #buffer = new Uint8Array(readBytes)
  readonly #raw = new RawEvents(this.#buffer)
  readonly #builder: BatchBuilder
  readonly #ledger: Ledger
  readonly #watermark = new Watermark()
  readonly #spool: Spool | undefined
  readonly #publisher: Publisher
  readonly #dropWatch: DropWatch
  readonly #backlogLimits: readonly number[]
  readonly #published = eventClasses.map(() => 0)
  readonly #abandoned = eventClasses.map(() => 0)
  /** What was read. */
  #mark: Mark = noMark
  #batches = 0
  #publishedEarlier = 0
  #publishedBatches = 0
  #publishedBytes = 0
  #unaccounted = 0
  /** The next event is the first of its read. */
  #isReadBegun = false
  /** When the open batch got its first event; undefined while it has none. Of performance.now(). */
  #openedAt: number | undefined
  #closedAt = performance.now()
  #detached: Promise<void> | undefined

  constructor(options: EdgeOptions) {
    const { config, log, source, client } = options
    this.#options = options
    this.#source = source
    this.#builder = new BatchBuilder(new ProcessTable(procOf(source.boot)), new SocketTable())
    this.#ledger = new Ledger(() => source.statistics())
    if (options.spoolPath !== undefined) {
      this.#spool = new Spool({ path: options.spoolPath, ...config.edge.spool, run: this.#run, log })
    }
    this.#publisher = new Publisher({
      topic: topicName(config, 'events'),
      spool: this.#spool,
      memoryBytes: Math.min(memoryBytes, memoryShare * config.edge.backlogBytes),
      connect: () => client.producer(),
      log,
      onPublished: (batch) => this.#onPublished(batch)
    })
    this.#dropWatch = new DropWatch(log)
    this.#backlogLimits = backlogShare.map((share) => (source.lossless ? Infinity : share * config.edge.backlogBytes))
    options.dropPrivileges?.()
    log.info({ run: this.#run, boot: source.boot }, `reading ${source.description}`)
    this.done = this.#work()
    // Whoever hosts the edge may look at `done` later than it rejects.
    this.done.catch(() => {})
  }

  counters(): Readonly<Record<string, number>> {
    const refused = this.#ledger.refused.map((count, i) => count + (this.#abandoned[i] as number))
    const spool = this.#spool?.account
    const dropped = this.#ledger.lost.map((count, i) => {
      return count + (refused[i] as number) + (spool?.givenUp[i] ?? 0) + (spool?.unreadable[i] ?? 0)
    })
    return {
      seen: this.#ledger.events + sum(this.#ledger.lost),
      published: sum(this.#published),
      published_earlier: this.#publishedEarlier,
      spooled: sum(spool?.waiting ?? []),
      dropped: sum(dropped),
      ...Object.fromEntries(eventClasses.map((name, i) => [`dropped_${name}`, dropped[i] as number])),
      dropped_ring_full: sum(this.#ledger.lost),
      dropped_backlog_full: sum(refused),
      dropped_spool_full: sum(spool?.givenUp ?? []),
      dropped_spool_unreadable: sum(spool?.unreadable ?? []),
      lost_earlier: sum(spool?.earlierGivenUp ?? []),
      batches: this.#publishedBatches,
      bytes: this.#publishedBytes,
      backlogBytes: this.#publisher.backlogBytes,
      spoolBytes: this.#spool?.bytes ?? 0,
      unaccounted: this.#unaccounted
    }
  }

  async drain(): Promise<void> {
    this.#detached ??= this.#source.detach()
    await this.#detached
    await this.done
  }

  async stop(): Promise<void> {
    let published = this.#publishedBatches
    const watch = setInterval(() => {
      if (this.#publishedBatches === published) this.#publisher.giveUp()
      published = this.#publishedBatches
    }, stopMs)
    try {
      await this.drain()
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the edge had failed before it was stopped')
    } finally {
      clearInterval(watch)
    }
  }

  async #work(): Promise<void> {
    try {
      await this.#readUntilEnded()
    } catch (error) {
      // What had been read before is whole.
      if (this.#builder.eventCount > 0) this.#close(false)
      setTimeout(() => this.#publisher.giveUp(), stopMs).unref()
      throw error
    } finally {
      await this.#publisher.idle()
      await this.#finish()
    }
  }

  get #mustWait(): boolean {
    if (this.#source.lossless !== true || this.#publisher.hasGivenUp) return false
    const { backlogBytes, spool } = this.#options.config.edge
    const waiting = this.#publisher.backlogBytes + (this.#spool?.bytes ?? 0)
    return waiting >= Math.min(backlogBytes, this.#spool === undefined ? Infinity : spool.maxBytes / 2) / 2
  }

  async #readUntilEnded(): Promise<void> {
    for (let restMs: number = busyMs; ; ) {
      while (this.#mustWait) await sleep(busyMs)
      const { bytes, drained } = await this.#pass()
      if (this.#source.ended) break
      restMs = bytes > 0 ? busyMs : Math.min(quietMs, restMs * 1.5)
      await (drained ? sleep(restMs) : setImmediate())
    }
    this.#account(this.#source.statistics(), true)
    this.#watermark.end(this.#source.clock(), this.#builder.newestUs)
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
      this.#isReadBegun = true
      walkRecords(this.#raw, length, this.#take)
      const account = { run: this.#run, batch: this.#batches, closed: [], declared: [], events: [] }
      this.#source.release(this.#mark, account)
      await setImmediate()
    }
    // At its end the source says itself what there was: a recording may have been left in the middle.
    this.#account(statistics, drained && !this.#source.ended)
    if (drained) this.#watermark.drained(reading)
    this.#closeIfDue()
    this.#dropWatch.update(this.counters(), performance.now())
    return { bytes, drained }
  }

  #account(statistics: SourceStatistics, drained: boolean): void {
    this.#ledger.update(statistics, drained)
    this.#unaccounted = statistics.unaccounted ?? 0
  }

  readonly #take = (record: number): void => {
    const raw = this.#raw
    const eventClass = raw.u8(record + field.class)
    if (this.#isReadBegun) this.#watermark.follow(microsecondsAt(raw, record + field.timeNs))
    this.#isReadBegun = false
    const step = raw.u32(record + field.step)
    const { security, rest, summaries } = this.#mark
    this.#mark = isSecurityClass(eventClass)
      ? { security: security + step, rest, summaries }
      : { security, rest: rest + step, summaries }
    this.#ledger.saw(raw.u16(record + field.cpu), raw.u64(record + field.seq))
    if (this.#publisher.backlogBytes + this.#builder.bytes >= (this.#backlogLimits[eventClass] as number)) {
      this.#ledger.refuse(eventClass)
      this.#builder.skip(raw, record)
      return
    }
    this.#openedAt ??= performance.now()
    this.#builder.add(raw, record)
    const full = this.#builder.eventCount >= this.#options.config.edge.batchEvents
    if (full || this.#builder.bytes >= batchBytes) this.#close(false)
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
    const clock = this.#watermark.clock(this.#source.clock())
    const { sequences, drops } = this.#ledger.close(final)
    const { byClass } = this.#builder
    const head = {
      host: this.#options.config.host,
      boot: this.#source.boot,
      agent: ringside.version,
      run: this.#run,
      batch: ++this.#batches,
      continues: null,
      final,
      clock,
      counted_until_us: -1,
      sequences,
      drops,
      ledger: null
    }
    const value = encode('EventBatch', { ...head, ...this.#builder.take(clock) })
    this.#publisher.publish({ head, value, byClass })
    this.#openedAt = undefined
    this.#closedAt = performance.now()
  }

  #onPublished(batch: PublishedBatch): void {
    if (batch.run === this.#run) addTo(this.#published, batch.byClass)
    else this.#publishedEarlier += sum(batch.byClass)
    this.#publishedBatches++
    this.#publishedBytes += batch.value.length
  }

  async #finish(): Promise<void> {
    const { log } = this.#options
    const left = await this.#publisher.close()
    for (const batch of left) addTo(this.#abandoned, batch.byClass)
    this.#source.close()
    const events = sum(this.#abandoned)
    const { spooled = 0, spoolBytes = 0 } = this.counters()
    if ((this.#spool?.batches ?? 0) > 0) {
      log.warn({ spooled, spoolBytes }, `Kafka was away: ${spooled} events wait in the spool for the next run`)
    }
    this.#spool?.close()
    if (events > 0) log.error({ batches: left.length, events }, `Kafka was away: ${events} events are lost`)
  }
}

/**
 * Starts to read the source and publish its events; a Kafka that is away is waited for.
 * @returns counters are events unless named otherwise: seen, published, dropped (by class: dropped_process,
 * dropped_network, dropped_file, dropped_io; by reason: dropped_ring_full, dropped_backlog_full), batches and
 * bytes that Kafka acknowledged, backlogBytes that it has yet to, unaccounted calls that no event tells of. `done` rejects with RingsideError DATA when the
 * source's bytes are no events.
 */
export const startEdge = async (options: EdgeOptions): Promise<Service> => new Edge(options)
