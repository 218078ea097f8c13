// The topics that the panel shows → its store: what there is, as far back as it keeps it, then what comes. It goes on
// after each outage where it was, and says meanwhile why what is shown is not up to date.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { KafkaClient, ReceivedMessage } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import type { Store } from './state/store.ts'

export interface FeedOptions {
  readonly client: Pick<KafkaClient, 'read'>
  readonly store: Store
  readonly topics: Readonly<Record<'rollups' | 'hosts' | 'alerts', string>>
  readonly log: Log
}

interface Source {
  readonly topic: string
  /** How far back it is read before it counts as up to date. */
  readonly backMs: number
  add(value: Buffer): void
}

/** Where a source was left. */
interface Place {
  readonly next: Map<number, bigint>
  /** When its newest message came to Kafka; before the first, where to begin. */
  timestampMs: number
}

const dayMs = 24 * 3_600_000
/** There are few alerts, and those of the last days are asked for. */
const alertsBackMs = 7 * dayMs
const retryMs = 1000
const progressEveryMs = 5000
/** Messages between two looks at what else there is to do: some milliseconds. */
const yieldEvery = 500
/** Partitions are read to their ends one after the other; offsets say what of it was had before. */
const overlapMs = 10_000

export class Feed {
  readonly #options: FeedOptions
  readonly #stopping = new AbortController()
  readonly #troubles = new Map<string, string>()
  #running: Promise<unknown> = Promise.resolve()
  #saidAtMs = performance.now()
  /** Messages that were read. */
  messages = 0
  /** Those that could not be decoded. */
  unreadable = 0

  constructor(options: FeedOptions) {
    this.#options = options
  }

  start(): void {
    const { store, topics } = this.#options
    const [recentMs = 0] = store.keptMs
    const longestMs = Math.max(...store.keptMs)
    const addRollup = (value: Buffer): void => store.addRollup(decode('Rollup', value))
    const addHostStatus = (value: Buffer): void => store.addHostStatus(decode('HostStatus', value))
    const addAlert = (value: Buffer): void => store.addAlert(decode('Alert', value))
    this.#running = Promise.all([
      // What is asked for first is there first; the hours before it come while that is followed.
      this.#run({ topic: topics.rollups, backMs: recentMs, add: addRollup }, longestMs),
      this.#run({ topic: topics.hosts, backMs: longestMs, add: addHostStatus }),
      this.#run({ topic: topics.alerts, backMs: alertsBackMs, add: addAlert })
    ])
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** @param message why what is shown is not up to date; undefined: what was told of this source is over */
  trouble(source: string, message: string | undefined): void {
    if (message === undefined) this.#troubles.delete(source)
    else this.#troubles.set(source, message)
    const [first] = this.#troubles.values()
    this.#options.store.setTrouble(first ?? null)
  }

  async #run(source: Source, olderMs?: number): Promise<void> {
    const { topic, backMs } = source
    const place = { next: new Map<number, bigint>(), timestampMs: Date.now() - backMs }
    const sinceMs = place.timestampMs
    this.trouble(topic, `Reading back what ${topic} holds.`)
    await this.#insist(topic, () => this.#read(source, place, sinceMs, true))
    this.trouble(topic, undefined)
    this.#options.log.info({ topic, messages: this.messages }, 'read back')
    const follow = this.#insist(topic, () => this.#read(source, place, place.timestampMs - overlapMs, false))
    if (olderMs !== undefined) {
      const older = { next: new Map<number, bigint>(), timestampMs: 0 }
      await this.#insist(`older ${topic}`, () => this.#read(source, older, Date.now() - olderMs, true, sinceMs))
      this.#options.log.info({ topic, messages: this.messages }, 'read back further')
    }
    await follow
  }

  /** Until it is done; a reader that follows goes on by itself when Kafka was away, and ends only when it is to stop. */
  async #insist(source: string, read: () => Promise<void>): Promise<void> {
    const { log } = this.#options
    const { signal } = this.#stopping
    let said = ''
    while (!signal.aborted) {
      try {
        await read()
        this.trouble(source, undefined)
        return
      } catch (error) {
        const message = messageOf(error)
        log[message === said ? 'debug' : 'warn']({ source }, message)
        said = message
        this.trouble(source, `${message}.`)
        await delay(retryMs, undefined, { signal }).catch(() => {})
      }
    }
  }

  /** @param untilMs what came to Kafka later is left out */
  async #read(source: Source, place: Place, sinceMs: number, untilEnd: boolean, untilMs?: number): Promise<void> {
    const { client } = this.#options
    const onMessage = (message: ReceivedMessage, partition: number): Promise<boolean> | undefined => {
      if (message.offset < (place.next.get(partition) ?? 0n)) return undefined
      place.next.set(partition, message.offset + 1n)
      place.timestampMs = Math.max(place.timestampMs, message.timestampMs)
      if (message.value !== null && message.timestampMs < (untilMs ?? Number.POSITIVE_INFINITY)) {
        this.#add(source, message.value)
      }
      this.messages += 1
      if (this.messages % yieldEvery !== 0) return undefined
      if (untilEnd) this.#sayHowFar(source.topic, message.timestampMs)
      return new Promise((resolve) => setImmediate(() => resolve(true)))
    }
    await client.read({ topic: source.topic, sinceMs, untilEnd, onMessage }, this.#stopping.signal)
  }

  #add({ topic, add }: Source, value: Buffer): void {
    try {
      add(value)
    } catch (error) {
      this.unreadable += 1
      if (this.unreadable === 1) this.#options.log.warn({ topic }, `a message is left out: ${messageOf(error)}`)
    }
  }

  #sayHowFar(topic: string, timestampMs: number): void {
    if (performance.now() - this.#saidAtMs < progressEveryMs) return
    this.#saidAtMs = performance.now()
    this.#options.log.info(
      { topic, messages: this.messages, until: new Date(timestampMs).toISOString() },
      'reading back'
    )
  }
}
