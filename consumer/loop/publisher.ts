// Outputs by topic in, sent within a transaction: what is refused for good goes to `deadletter` in the same one. A
// topic of the user's own is created when it is missing.
import type { Config } from '../../runtime/config.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { KafkaClient, Message, Refusal, TransactionalSend } from '../../wire/client.ts'
import { topicName, topicNames } from '../../wire/topics.ts'
import { deadLetter } from './dead-letters.ts'

export interface PublisherOptions {
  readonly client: KafkaClient
  /** Name of the service, for dead letters. */
  readonly service: string
  readonly topics: Pick<Config, 'topicPrefix' | 'kafka'>
  readonly log: Log
}

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
  readonly #refused = new Map<string, RingsideError>()

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#deadLetters = topicName(options.topics, 'deadletter')
    this.#ringsides = new Set(topicNames.map((name) => topicName(options.topics, name)))
  }

  /**
   * @returns how many outputs were refused
   * @throws RingsideError that can be retried, with the whole transaction
   */
  async publish(messages: ReadonlyMap<string, readonly Message[]>, send: TransactionalSend): Promise<number> {
    let refused = 0
    for (const [topic, ofTopic] of messages) {
      const refusals = await this.#send(topic, ofTopic, send)
      await this.#bury(topic, refusals, send)
      if (topic !== this.#deadLetters) refused += refusals.length
    }
    return refused
  }

  async #send(topic: string, messages: readonly Message[], send: TransactionalSend): Promise<readonly Refusal[]> {
    const error = await this.#ensure(topic)
    if (error !== undefined) return messages.map((message) => ({ message, error }))
    try {
      const refusals = await send(topic, messages)
      for (const { message, error } of refusals) {
        this.#options.log.error({ topic, bytes: message.value?.length }, `an output is refused: ${error.message}`)
      }
      return refusals
    } catch (error) {
      // It may have been deleted.
      this.#known.delete(topic)
      throw error
    }
  }

  /** @returns why there cannot be such a topic, if there cannot */
  async #ensure(topic: string): Promise<RingsideError | undefined> {
    if (this.#ringsides.has(topic) || this.#known.has(topic)) return undefined
    const refused = this.#refused.get(topic)
    if (refused !== undefined) return refused
    const { client, topics, log } = this.#options
    const { partitions, replicas } = topics.kafka
    try {
      const created = await client.ensureTopics([{ name: topic, partitions, replicas, settings: {} }])
      if (created.length > 0) log.info({ topic, partitions, replicas }, 'created a topic that was missing')
    } catch (error) {
      if (!(error instanceof RingsideError) || error.canRetry) throw error
      log.error({ topic }, `outputs to this topic become dead letters: ${messageOf(error)}`)
      if (this.#refused.size === maxNames) this.#refused.clear()
      this.#refused.set(topic, error)
      return error
    }
    if (this.#known.size === maxNames) this.#known.clear()
    this.#known.add(topic)
    return undefined
  }

  async #bury(topic: string, refusals: readonly Refusal[], send: TransactionalSend): Promise<void> {
    if (refusals.length === 0) return
    const { service, log } = this.#options
    const now = Date.now()
    const letters =
      topic === this.#deadLetters
        ? refusals.map(({ message }) => message)
        : refusals.map(({ message, error }) => deadLetter(message, error, { service, topic }, now))
    const tooLarge = topic === this.#deadLetters ? letters : (await send(this.#deadLetters, letters)).map(toMessage)
    if (tooLarge.length === 0) return
    // Too large even for there: at least its headers tell of it.
    for (const { error } of await send(this.#deadLetters, tooLarge.map(withoutValue))) {
      log.error(`a dead letter is lost: ${error.message}`)
    }
  }
}

const toMessage = ({ message }: Refusal): Message => message
const withoutValue = (message: Message): Message => ({ ...message, value: null })
