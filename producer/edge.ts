// The edge: source → encode → deliver. Raw records enter, EventBatch messages leave, and every event is accounted for:
// after drain() or stop(), seen = published + spooled + dropped. The source keeps a record until its batch is durable,
// so that the next edge finds what a killed one left.
import { randomUUID } from 'node:crypto'
import type { Config } from '../runtime/config.ts'
import type { Log } from '../runtime/log.ts'
import type { Service } from '../runtime/service.ts'
import type { KafkaClient } from '../wire/client.ts'
import { eventClasses } from '../wire/event-class.ts'
import { topicName } from '../wire/topics.ts'
import type { Ledger } from '../wire/types.ts'
import { EventCounters, type Loss } from './account/event-counters.ts'
import { SequenceTracker } from './account/sequence-tracker.ts'
import { Batcher } from './batcher.ts'
import type { Reduction } from './budget/budget.ts'
import { Publisher } from './deliver/publisher.ts'
import { Spool } from './deliver/spool.ts'
import { createEncoder } from './encode/create-encoder.ts'
import type { BatchEncoder } from './encode/encoder.ts'
import type { Symbolizer } from './go/symbolizer.ts'
import { procOf } from './proc.ts'
import { ReadLoop } from './read-loop.ts'
import { callName } from './source/call-names.ts'
import { DropWatch } from './source/drop-watch.ts'
import { microsecondsOf } from './source/numbers.ts'
import type { Source, SourceStatistics } from './source/source.ts'
import { Summarizer } from './source/summarizer.ts'

export interface EdgeOptions {
  readonly config: Pick<Config, 'host' | 'topicPrefix' | 'edge'>
  readonly log: Log
  readonly source: Source
  readonly client: Pick<KafkaClient, 'producer'>
  /** The spool's file, opened before privileges are dropped; undefined: batches wait in memory only. */
  readonly spoolPath?: string | undefined
  /** Called before the first event is read, and after /proc was scanned. */
  readonly dropPrivileges?: () => void
  /** Resolves Go stacks; undefined disables it. */
  readonly symbolizer?: Symbolizer | undefined
  /** Makes the source count the calls of classes, treat the others as configured, and bound the events of a process. */
  readonly reduce?: (reduction: Reduction) => void
}

export interface EdgeService extends Omit<Service, 'problems'> {
  /** The ledger of this moment: the kernel's counts since the programs were loaded, and this run's outcomes. */
  ledger(): Ledger
  /** Events of this run that were dropped after they had left the rings. */
  losses(): readonly Loss[]
  /** The bound of a process, and the classes that are counted instead of emitted. */
  readonly reduction: Reduction
  /** Share of the fullest ring occupied by records that are not durable yet; 0 without a ring or after closing. */
  readonly pressure: number
  /**
   * Counts the calls of classes instead of emitting them, treats the others as configured, and bounds the events of a
   * process. Each change is a step in the ledger and a line in the log.
   * @param reason for people
   */
  setReduction(reduction: Reduction, reason: string): void
}

/** Some 7,000 events: about 10 ms of work before timers and sockets get their turn. */
const readBytes = 1 << 20
/** Below the broker's default limit of 1,048,588 bytes per message, with room for one more event. */
const batchBytes = 900_000
/** Batches in memory beyond this go to the spool. */
const memoryBytes = 8 << 20
/** Bound on the batches in memory. */
const maxMemoryBytes = 2 * memoryBytes
/** stop() gives up when Kafka acknowledges nothing for this long. */
const stopMs = 5_000

class Edge implements EdgeService {
  readonly done: Promise<void>
  readonly #options: EdgeOptions
  readonly #source: Source
  readonly #encoder: BatchEncoder
  readonly #tracker: SequenceTracker
  readonly #spool: Spool | undefined
  readonly #publisher: Publisher
  readonly #counters: EventCounters
  readonly #batcher: Batcher
  readonly #readLoop: ReadLoop
  #reduction: Reduction
  #detached: Promise<void> | undefined
  /** The source's last figures, once it is closed. */
  #last: { readonly statistics: SourceStatistics; readonly monotonicUs: number } | undefined

  constructor(options: EdgeOptions) {
    const { config, log, source, client, spoolPath, symbolizer } = options
    this.#options = options
    this.#source = source
    this.#reduction = { processEvents: config.edge.processEventsPerSecond, classes: [] }
    const run = randomUUID()
    const buffer = new Uint8Array(readBytes)
    const limits = { events: config.edge.batchEvents, bytes: batchBytes }
    const proc = procOf(source.boot)
    this.#encoder = createEncoder(config.edge.codec, { buffer, limits, proc, callName, symbolizer }, log)
    this.#tracker = new SequenceTracker(source)
    if (spoolPath !== undefined) this.#spool = new Spool({ path: spoolPath, ...config.edge.spool, run, log })
    this.#counters = new EventCounters(run, this.#spool, source.statistics())
    this.#publisher = new Publisher({
      topic: topicName(config, 'events'),
      spool: this.#spool,
      memoryBytes,
      pressure: () => source.pressure ?? 0,
      connect: () => client.producer(),
      log,
      onPublished: (batch) => this.#counters.countPublished(batch)
    })
    const summarizer = new Summarizer(source, (limited) => this.#counters.addLimited(limited))
    this.#batcher = new Batcher({
      ...{ config, run, source, summarizer },
      ...{ encoder: this.#encoder, tracker: this.#tracker, counters: this.#counters, publisher: this.#publisher },
      processEvents: () => this.#reduction.processEvents
    })
    const dropWatch = new DropWatch(log)
    this.#readLoop = new ReadLoop({
      ...{ source, buffer, batcher: this.#batcher, publisher: this.#publisher, spool: this.#spool, maxMemoryBytes },
      maxLosslessBytes: Math.min(maxMemoryBytes, config.edge.spool.maxBytes / 4),
      summarize: () => (this.#detached === undefined ? summarizer.tick() : summarizer.flush()),
      onPass: () => dropWatch.update(this.counters(), performance.now())
    })
    options.dropPrivileges?.()
    this.#start(run)
    this.done = this.#work()
    // The host may await `done` only after it has rejected.
    this.done.catch(() => {})
  }

  counters(): Readonly<Record<string, number>> {
    const { events } = this.#encoder.progress
    return {
      ...this.#counters.counters(events, this.#tracker.dropped, this.#now().statistics),
      backlogBytes: this.#publisher.backlogBytes
    }
  }

  ledger(): Ledger {
    const { statistics, monotonicUs } = this.#now()
    return this.#counters.ledger(statistics, monotonicUs, this.#reduction.processEvents)
  }

  losses(): readonly Loss[] {
    return this.#counters.losses()
  }

  get reduction(): Reduction {
    return this.#reduction
  }

  get pressure(): number {
    return this.#last === undefined ? (this.#source.pressure ?? 0) : 0
  }

  setReduction(reduction: Reduction, reason: string): void {
    const { reduce, config } = this.#options
    const { processEvents, classes } = reduction
    const { processEvents: before, classes: reduced } = this.#reduction
    const changed = eventClasses.filter((name) => classes.includes(name) !== reduced.includes(name))
    if (reduce === undefined || this.#last !== undefined) return
    reduce(reduction)
    this.#reduction = reduction
    const monotonic_us = this.#now().monotonicUs
    const { log } = this.#options
    for (const name of changed) {
      const mode = classes.includes(name) ? 'count' : 'emit'
      this.#counters.addStep({ class: name, mode, reason, monotonic_us })
      const calls = `calls of class ${name}`
      const change =
        mode === 'count' ? `counting ${calls} instead of emitting them` : `emitting ${calls} as configured again`
      log.warn({ class: name, mode }, `${change}: ${reason}`)
    }
    if (processEvents === before) return
    const mode = processEvents === config.edge.processEventsPerSecond ? 'emit' : 'count'
    this.#counters.addBoundStep({ process_events: processEvents, mode, reason, monotonic_us })
    const change =
      mode === 'count'
        ? `emitting at most ${processEvents} events per second of a process`
        : 'emitting as many events of a process as configured again'
    log.warn({ processEvents, mode }, `${change}: ${reason}`)
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
      this.#options.log.debug({ err: error }, 'the edge failed before it was stopped')
    } finally {
      clearInterval(watch)
    }
  }

  #start(run: string): void {
    const source = this.#source
    const { previous } = source
    const takeover =
      previous === undefined ? '' : `, taking over from run ${previous.run} after its batch ${previous.batch}`
    this.#options.log.info({ run, boot: source.boot }, `reading ${source.description}${takeover}`)
    // A successor must know its predecessor even if nothing of this run becomes durable.
    if (previous === undefined) source.release(source.begin, { run, batch: 0, ...this.#tracker.account() })
  }

  #now(): { readonly statistics: SourceStatistics; readonly monotonicUs: number } {
    if (this.#last !== undefined) return this.#last
    const { monotonicNs } = this.#source.clock()
    return { statistics: this.#source.statistics(), monotonicUs: microsecondsOf(monotonicNs) }
  }

  async #work(): Promise<void> {
    try {
      await this.#readLoop.run()
      await this.#batcher.finish()
    } catch (error) {
      setTimeout(() => this.#publisher.giveUp(), stopMs).unref()
      // Records before the failure are valid.
      this.#batcher.closeOpen()
      throw error
    } finally {
      await this.#publisher.idle()
      await this.#close()
    }
  }

  async #close(): Promise<void> {
    const { log } = this.#options
    const undelivered = await this.#publisher.close()
    const events = this.#counters.countUndelivered(undelivered)
    const { spooled = 0, spoolBytes = 0 } = this.counters()
    this.#last = this.#now()
    this.#source.close()
    if ((this.#spool?.batches ?? 0) > 0) {
      log.warn({ spooled, spoolBytes }, `Kafka is away: ${spooled} events stay in the spool for the next run`)
    }
    this.#spool?.close()
    if (events > 0) log.error({ batches: undelivered.length, events }, `Kafka is away: dropped ${events} events`)
  }
}

/**
 * Starts to read the source and to publish its events, and retries while Kafka is away.
 * @returns docs/edge.md describes its counters; `done` rejects with RingsideError DATA when the source's bytes are not
 * valid records
 */
export const startEdge = async (options: EdgeOptions): Promise<EdgeService> => new Edge(options)
