// Outputs by topic in, acknowledged by Kafka out: sent again until they are, and what is refused for good
// goes to `deadletter`. A topic of the user's own is created when it is missing.
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../runtime/config.ts'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { KafkaClient, Message, Producer } from '../wire/client.ts'
import { topicName, topicNames } from '../wire/topics.ts'
import { deadLetter } from './dead-letters.ts'

export interface PublisherOptions {
  readonly client: KafkaClient
  readonly producer: Producer
  /** Name of the service, for dead letters. */
  readonly service: string
  readonly topics: Pick<Config, 'topicPrefix' | 'kafka'>
  readonly log: Log
  /** Ends the repeats: what was not sent comes again after a restart. */
  readonly stopping: AbortSignal
  /** Ends also the wait for what is being sent. */
  readonly abandon: AbortSignal
}

const maxMessagesPerSend = 1000
const firstBackoffMs = 200
const longestBackoffMs = 5000
/** Names of topics that are remembered; handlers name a handful. */
const maxNames = 1000

export class Publisher {
  readonly #options: PublisherOptions
  readonly #deadLetters: string
  /** Made by `ringside up` and `ringside topics create`, with settings of their own: never here. */
  readonly #ringsides: ReadonlySet<string>
  /** Topics of the user's that are there, as far as is known. */
  readonly #known = new Set<string>()
  /** Why a topic cannot be made. */
  readonly #refused = new Map<string, unknown>()
  /** Outputs that were refused. */
  refusals = 0

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#deadLetters = topicName(options.topics, 'deadletter')
    this.#ringsides = new Set(topicNames.map((name) => topicName(options.topics, name)))
  }

  /** @returns false when it was stopped before all was acknowledged */
  async publish(messages: ReadonlyMap<string, readonly Message[]>): Promise<boolean> {
    const published = await Promise.all([...messages].map(([topic, ofTopic]) => this.#publishTo(topic, ofTopic)))
    return !published.includes(false)
  }

  async #publishTo(topic: string, messages: readonly Message[]): Promise<boolean> {
    for (let at = 0; at < messages.length; at += maxMessagesPerSend) {
      if (!(await this.#send(topic, messages.slice(at, at + maxMessagesPerSend)))) return false
    }
    return true
  }

  /** Sends until acknowledged; what the broker refuses for good becomes a dead letter. */
  async #send(topic: string, messages: readonly Message[]): Promise<boolean> {
    const { producer, stopping, log } = this.#options
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      try {
        return await this.#unlessAbandoned(this.#ensure(topic).then(() => producer.send(topic, messages)))
      } catch (error) {
        // It may have been deleted.
        this.#known.delete(topic)
        if (!(error instanceof RingsideError) || !error.canRetry) return this.#isolate(topic, messages, error)
        if (stopping.aborted) return false
        log.warn({ topic, backoffMs }, `nothing is lost, sends again: ${error.message}`)
        await delay(backoffMs, undefined, { signal: stopping }).catch(() => {})
        if (stopping.aborted) return false
      }
    }
  }

  async #ensure(topic: string): Promise<void> {
    if (this.#ringsides.has(topic) || this.#known.has(topic)) return
    if (this.#refused.has(topic)) throw this.#refused.get(topic)
    const { client, topics, log } = this.#options
    const { partitions, replicas } = topics.kafka
    try {
      const created = await client.ensureTopics([{ name: topic, partitions, replicas, settings: {} }])
      if (created.length > 0) log.info({ topic, partitions, replicas }, 'created a topic that was missing')
    } catch (error) {
      if (error instanceof RingsideError && error.canRetry) throw error
      log.error({ topic }, `outputs to this topic become dead letters: ${messageOf(error)}`)
      if (this.#refused.size === maxNames) this.#refused.clear()
      this.#refused.set(topic, error)
      throw error
    }
    if (this.#known.size === maxNames) this.#known.clear()
    this.#known.add(topic)
  }

  async #unlessAbandoned(sent: Promise<void>): Promise<boolean> {
    const { abandon } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const onAbandon = () => resolve(false)
    abandon.addEventListener('abort', onAbandon)
    sent.then(() => resolve(true), reject)
    return promise.finally(() => abandon.removeEventListener('abort', onAbandon))
  }

  /** Finds the refused ones among messages that were refused together. */
  async #isolate(topic: string, messages: readonly Message[], error: unknown): Promise<boolean> {
    const { service, log } = this.#options
    const [only] = messages
    if (only === undefined) return true
    if (messages.length > 1) {
      const half = messages.length >> 1
      return (await this.#send(topic, messages.slice(0, half))) && (await this.#send(topic, messages.slice(half)))
    }
    const isLetter = topic === this.#deadLetters
    if (isLetter && only.value === null) {
      log.error(`a dead letter is lost: ${messageOf(error)}`)
      return true
    }
    if (!this.#refused.has(topic))
      log.error({ topic, bytes: only.value?.length }, `an output is refused: ${messageOf(error)}`)
    if (!isLetter) this.refusals += 1
    // Too large even for there: at least its headers tell of it.
    const letter = isLetter ? { ...only, value: null } : deadLetter(only, error, { service, topic }, Date.now())
    return this.#send(this.#deadLetters, [letter])
  }
}
