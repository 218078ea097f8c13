// Topics rollups, hosts and alerts → store: first their history, then new messages. After an outage each topic continues
// at its position; until then the store holds the reason why its data is stale.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { KafkaClient, ReceivedMessage, UnreadableBatch } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import { describeUnreadable } from '../../wire/describe-unreadable.ts'
import type { Store } from './state/store.ts'

export interface FeedOptions {
  readonly client: Pick<KafkaClient, 'read'>
  readonly store: Store
  readonly topics: Readonly<Record<'rollups' | 'hosts' | 'alerts', string>>
  readonly log: Log
}

interface Source {
  readonly topic: string
  /** Length of the history that is loaded before the data counts as current. */
  readonly historyMs: number
  add(value: Buffer): void
}

interface Position {
  /** Next offset by partition. */
  readonly next: Map<number, bigint>
  /** Kafka's timestamp of the newest message; at first, of the start of the history. */
  timestampMs: number
}

const dayMs = 24 * 3_600_000
/** Alerts are few, and the last days matter. */
const alertHistoryMs = 7 * dayMs
const retryMs = 1000
const progressEveryMs = 5000
/** Messages between two yields to the event loop: some milliseconds. */
const yieldEvery = 500
/** A new read starts this much earlier, as partitions are read one after the other; offsets exclude duplicates. */
const overlapMs = 10_000

export class Feed {
  readonly #options: FeedOptions
  readonly #stopping = new AbortController()
  readonly #staleReasons = new Map<string, string>()
  readonly #failed = Promise.withResolvers<never>()
  #running: Promise<unknown> = Promise.resolve()
  #loggedAtMs = performance.now()
  /** Messages read. */
  messages = 0
  /** Messages that could not be decoded, and record batches that could not be read. */
  unreadable = 0

  constructor(options: FeedOptions) {
    this.#options = options
    this.done.catch(() => {})
  }

  /** Rejects when a read fails and no retry can help. */
  get done(): Promise<never> {
    return this.#failed.promise
  }

  start(): void {
    const { store, topics } = this.#options
    const [recentMs = 0] = store.keptMs
    const longestMs = Math.max(...store.keptMs)
    const addRollup = (value: Buffer): void => store.addRollup(decode('Rollup', value))
    const addHostStatus = (value: Buffer): void => store.addHostStatus(decode('HostStatus', value))
    const addAlert = (value: Buffer): void => store.addAlert(decode('Alert', value))
    this.#running = Promise.all([
      // The last minutes come first; older rollups are loaded while new ones are followed.
      this.#run({ topic: topics.rollups, historyMs: recentMs, add: addRollup }, longestMs),
      this.#run({ topic: topics.hosts, historyMs: longestMs, add: addHostStatus }),
      this.#run({ topic: topics.alerts, historyMs: alertHistoryMs, add: addAlert })
    ])
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** @param reason why data of this source is not current; undefined: it is current */
  setStaleReason(source: string, reason: string | undefined): void {
    if (reason === undefined) this.#staleReasons.delete(source)
    else this.#staleReasons.set(source, reason)
    const [first] = this.#staleReasons.values()
    this.#options.store.setStaleReason(first ?? null)
  }

  /** Why the data is not current. */
  problems(): string[] {
    return [...this.#staleReasons.values()]
  }

  async #run(source: Source, olderMs?: number): Promise<void> {
    const { log } = this.#options
    const { topic, historyMs } = source
    const position = { next: new Map<number, bigint>(), timestampMs: Date.now() - historyMs }
    const sinceMs = position.timestampMs
    this.setStaleReason(topic, `Loading the history of topic ${topic} …`)
    await this.#retry(topic, () => this.#read(source, position, sinceMs, true))
    this.setStaleReason(topic, undefined)
    log.info({ topic, messages: this.messages }, 'history loaded')
    const follow = this.#retry(topic, () => this.#read(source, position, position.timestampMs - overlapMs, false))
    if (olderMs !== undefined) {
      const older = { next: new Map<number, bigint>(), timestampMs: 0 }
      await this.#retry(`older ${topic}`, () => this.#read(source, older, Date.now() - olderMs, true, sinceMs))
      log.info({ topic, messages: this.messages }, 'older history loaded')
    }
    await follow
  }

  /** Repeats a read until it succeeds. A read that follows survives outages, and ends when the feed stops. */
  async #retry(source: string, read: () => Promise<void>): Promise<void> {
    const { log } = this.#options
    const { signal } = this.#stopping
    let logged = ''
    while (!signal.aborted) {
      try {
        await read()
        this.setStaleReason(source, undefined)
        return
      } catch (error) {
        if (!(error instanceof RingsideError) || error.code === 'SOFTWARE') return this.#failed.reject(error)
        const message = messageOf(error)
        log[message === logged ? 'debug' : 'warn']({ source, retryMs }, `read failed, retrying: ${message}`)
        logged = message
        this.setStaleReason(source, `${message}.`)
        await delay(retryMs, undefined, { signal }).catch(() => {})
      }
    }
  }

  /** @param untilMs messages with this timestamp or a later one are skipped */
  async #read(
    source: Source,
    position: Position,
    sinceMs: number,
    untilEnd: boolean,
    untilMs = Number.POSITIVE_INFINITY
  ): Promise<void> {
    const { client } = this.#options
    const onMessage = (message: ReceivedMessage, partition: number): Promise<boolean> | undefined => {
      if (message.offset < (position.next.get(partition) ?? 0n)) return undefined
      position.next.set(partition, message.offset + 1n)
      position.timestampMs = Math.max(position.timestampMs, message.timestampMs)
      if (message.value !== null && message.timestampMs < untilMs) this.#add(source, message.value)
      this.messages += 1
      if (this.messages % yieldEvery !== 0) return undefined
      if (untilEnd) this.#logProgress(source.topic, message.timestampMs)
      return new Promise((resolve) => setImmediate(() => resolve(true)))
    }
    const onUnreadable = (batch: UnreadableBatch): void => this.#skip(source.topic, describeUnreadable(batch))
    await client.read({ topic: source.topic, sinceMs, untilEnd, onMessage, onUnreadable }, this.#stopping.signal)
  }

  #add({ topic, add }: Source, value: Buffer): void {
    try {
      add(value)
    } catch (error) {
      this.#skip(topic, `message cannot be decoded: ${messageOf(error)}`)
    }
  }

  #skip(topic: string, why: string): void {
    this.unreadable += 1
    if (this.unreadable === 1) this.#options.log.warn({ topic }, `${why}; skipping it and others like it`)
  }

  #logProgress(topic: string, timestampMs: number): void {
    if (performance.now() - this.#loggedAtMs < progressEveryMs) return
    this.#loggedAtMs = performance.now()
    this.#options.log.info(
      { topic, messages: this.messages, until: new Date(timestampMs).toISOString() },
      'loading history'
    )
  }
}
