// Producer on kafkajs: messages in, acknowledged by all in-sync replicas. Sends to one topic run one after another, so that
// a retry never overtakes a later send: messages of one key keep their order.
//
// The idempotent mode of kafkajs stays off. After a failed request it gives that request's sequence number to the next
// one. If only the answer was lost, the broker drops the next request as a duplicate and acknowledges it: a loss. A retry
// here can store a message twice instead, and consumers drop duplicates by (host, boot, cpu, seq).
import { setTimeout as delay } from 'node:timers/promises'
import { RingsideError } from '../../runtime/errors.ts'
import type { ConnectionOptions, Message, Producer } from '../client.ts'
import {
  createPartitioner,
  isTransient,
  type Kafka,
  type Producer as KafkaJsProducer,
  toRingsideError,
  uncompressed,
  zstd
} from './library.ts'

/** kafkajs groups the messages of a send by partition in quadratic time. */
export const maxMessagesPerSend = 1000
/** A send gives up after this time: at least two attempts of kafkajs. */
const giveUpAfterMs = 20_000
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
      await this.#sendWithRetries(topic, messages.slice(at, at + maxMessagesPerSend))
    }
  }

  async #sendWithRetries(topic: string, messages: readonly Message[]): Promise<void> {
    const deadline = Date.now() + giveUpAfterMs
    const compression = this.#options.compression === 'none' ? uncompressed : zstd
    const action = `cannot send ${messages.length} message(s) to ${topic}`
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      if (this.#closing.signal.aborted) throw new RingsideError('UNAVAILABLE', `${action}: the producer is closed`)
      const connected = this.#connect()
      try {
        const producer = await connected
        await producer.send({ topic, messages: messages.map(toKafkaJs), acks: -1, compression })
        return
      } catch (error) {
        // A failed send to another topic may have closed the connection of this one: retry that as well.
        const canRetry = isTransient(error) || this.#connected !== connected
        if (!canRetry || Date.now() + backoffMs >= deadline) throw toRingsideError(error, action, this.#options.brokers)
        // Reconnect: after an outage kafkajs can keep a connection that never works again.
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
