// Sends messages by topic within a transaction. A message that Kafka refuses goes to `deadletter` in the same transaction.
// Creates missing topics of the user, never those of Ringside.
import type { Config } from '../../runtime/config.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { KafkaClient, Message, Refusal, TransactionalSend } from '../../wire/client.ts'
import { minInsyncReplicas } from '../../wire/durability.ts'
import { topicName, topicNames } from '../../wire/topics.ts'
import { deadLetter } from './dead-letter.ts'

export interface PublisherOptions {
  readonly client: KafkaClient
  /** Name of the service, for dead letters. */
  readonly service: string
  readonly topics: Pick<Config, 'topicPrefix' | 'kafka'>
  readonly log: Log
}

/** Bound on remembered topic names; handlers use a handful. */
const maxNames = 1000

export class Publisher {
  readonly #options: PublisherOptions
  readonly #deadLetters: string
  /** Topics that `ringside up` and `ringside topics create` create, each with its settings. */
  readonly #ownTopics: ReadonlySet<string>
  /** Topics of the user that existed at the last send. */
  readonly #known = new Set<string>()
  /** Topics of the user that Kafka refused to create, with its error. */
  readonly #refused = new Map<string, RingsideError>()

  constructor(options: PublisherOptions) {
    this.#options = options
    this.#deadLetters = topicName(options.topics, 'deadletter')
    this.#ownTopics = new Set(topicNames.map((name) => topicName(options.topics, name)))
  }

  /**
   * @returns the number of refused outputs
   * @throws RingsideError with canRetry: abort the transaction and retry it
   */
  async publish(messages: ReadonlyMap<string, readonly Message[]>, send: TransactionalSend): Promise<number> {
    let refused = 0
    for (const [topic, ofTopic] of messages) {
      const refusals = await this.#send(topic, ofTopic, send)
      await this.#sendDeadLetters(topic, refusals, send)
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
        this.#options.log.error(
          { topic, bytes: message.value?.length },
          `Kafka refused an output, sending it to deadletter: ${error.message}`
        )
      }
      return refusals
    } catch (error) {
      // The topic may have been deleted.
      this.#known.delete(topic)
      throw error
    }
  }

  /** @returns the error when Kafka refuses to create the topic */
  async #ensure(topic: string): Promise<RingsideError | undefined> {
    if (this.#ownTopics.has(topic) || this.#known.has(topic)) return undefined
    const refused = this.#refused.get(topic)
    if (refused !== undefined) return refused
    const { client, topics, log } = this.#options
    const { partitions, replicas } = topics.kafka
    try {
      const created = await client.ensureTopics([
        {
          ...{ name: topic, partitions, replicas },
          settings: { 'min.insync.replicas': String(minInsyncReplicas(replicas)) }
        }
      ])
      if (created.length > 0) log.info({ topic, partitions, replicas }, 'created a missing topic')
    } catch (error) {
      if (!(error instanceof RingsideError) || error.canRetry) throw error
      log.error({ topic }, `cannot create the topic, sending its outputs to deadletter: ${messageOf(error)}`)
      if (this.#refused.size === maxNames) this.#refused.clear()
      this.#refused.set(topic, error)
      return error
    }
    if (this.#known.size === maxNames) this.#known.clear()
    this.#known.add(topic)
    return undefined
  }

  async #sendDeadLetters(topic: string, refusals: readonly Refusal[], send: TransactionalSend): Promise<void> {
    if (refusals.length === 0) return
    const { service, log } = this.#options
    const now = Date.now()
    const letters =
      topic === this.#deadLetters
        ? refusals.map(({ message }) => message)
        : refusals.map(({ message, error }) => deadLetter(message, error, { service, topic }, now))
    const tooLarge = topic === this.#deadLetters ? letters : (await send(this.#deadLetters, letters)).map(toMessage)
    if (tooLarge.length === 0) return
    // Too large for deadletter as well: send the headers without the value.
    for (const { error } of await send(this.#deadLetters, tooLarge.map(withoutValue))) {
      log.error(`Kafka refused a dead letter, dropping it: ${error.message}`)
    }
  }
}

const toMessage = ({ message }: Refusal): Message => message
const withoutValue = (message: Message): Message => ({ ...message, value: null })
