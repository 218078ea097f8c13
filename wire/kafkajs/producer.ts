// Messages in, acknowledged by all in-sync replicas out. Sends to one topic follow one another, so
// that a retry never overtakes: that keeps the order of a key.
//
// kafkajs's idempotent mode stays off. When a request fails it gives the request's sequence to the
// next one; had the broker stored the first and lost only the answer, it takes the second for its
// repeat and drops it, acknowledged. A retry here can store a message twice instead: consumers
// recognise duplicates by (host, boot, cpu, seq).
import { setTimeout as delay } from 'node:timers/promises'
import { RingsideError } from '../../runtime/errors.ts'
import type { ConnectionOptions, Message, Producer } from '../client.ts'
import {
  createPartitioner,
  isPassing,
  type Kafka,
  type Producer as KafkaJsProducer,
  toRingsideError,
  uncompressed,
  zstd
} from './library.ts'

/** Grouping by partition in kafkajs is quadratic in the messages of a send. */
export const maxMessagesPerSend = 1000
/** How long one send outlives a broker that is away: two attempts of kafkajs at the least. */
const patienceMs = 20_000
const firstBackoffMs = 100
const longestBackoffMs = 2000

export class KafkaProducer implements Producer {
  readonly #kafka: Kafka
  readonly #options: ConnectionOptions
  readonly #tails = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()
  #connected: Promise<KafkaJsProducer> | undefined

  constructor(kafka: Kafka, options: ConnectionOptions) {
    this.#kafka = kafka
    this.#options = options
  }

  async send(topic: string, messages: readonly Message[]): Promise<void> {
    const before = this.#tails.get(topic) ?? Promise.resolve()
    const sent = before.then(() => this.#sendInChunks(topic, messages))
    const tail = sent.catch(() => {})
    this.#tails.set(topic, tail)
    await sent.finally(() => {
      if (this.#tails.get(topic) === tail) this.#tails.delete(topic)
    })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#tails.values())
    await this.#disconnect()
  }

  async #sendInChunks(topic: string, messages: readonly Message[]): Promise<void> {
    for (let at = 0; at < messages.length; at += maxMessagesPerSend) {
      await this.#sendPatiently(topic, messages.slice(at, at + maxMessagesPerSend))
    }
  }

  async #sendPatiently(topic: string, messages: readonly Message[]): Promise<void> {
    const deadline = Date.now() + patienceMs
    const compression = this.#options.compression === 'none' ? uncompressed : zstd
    const what = `cannot send ${messages.length} message(s) to ${topic}`
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      if (this.#closing.signal.aborted) throw new RingsideError('UNAVAILABLE', `${what}: the producer is closed`)
      const connected = this.#connect()
      try {
        const producer = await connected
        await producer.send({ topic, messages: messages.map(toKafkaJs), acks: -1, compression })
        return
      } catch (error) {
        // Another topic's failure may have disconnected what this send was using: that passes too.
        const passes = isPassing(error) || this.#connected !== connected
        if (!passes || Date.now() + backoffMs >= deadline) throw toRingsideError(error, what, this.#options.brokers)
        // A new connection: after an outage kafkajs can hold on to one that never works again.
        if (this.#connected === connected) await this.#disconnect()
        await delay(backoffMs, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
  }

  #connect(): Promise<KafkaJsProducer> {
    this.#connected ??= (async () => {
      const producer = this.#kafka.producer({ createPartitioner, allowAutoTopicCreation: false })
      await producer.connect()
      return producer
    })()
    return this.#connected
  }

  async #disconnect(): Promise<void> {
    const connected = this.#connected
    this.#connected = undefined
    await connected?.then((producer) => producer.disconnect()).catch(() => {})
  }
}

export const toKafkaJs = ({ key, value, headers }: Message) => ({
  key,
  value,
  ...(headers && { headers: { ...headers } })
})
