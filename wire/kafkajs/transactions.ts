// Messages and a group's offset of one partition in, all of it committed to Kafka or nothing.
//
// A producer at which anything failed is thrown away: kafkajs would give a lost request's sequence to the next one. Its
// successor ends what it had begun (InitProducerId), and then the group's offset tells what became of it: it is the one
// that was to be committed, or still the one before, or another instance has moved it, which is then the owner.
import { setTimeout as delay } from 'node:timers/promises'
import { RingsideError } from '../../runtime/errors.ts'
import type {
  Commit,
  ConnectionOptions,
  Message,
  Refusal,
  TransactionalProducer,
  TransactionalSend,
  TransactionOptions
} from '../client.ts'
import {
  createPartitioner,
  type Kafka,
  type Producer as KafkaJsProducer,
  type Transaction,
  toRingsideError,
  uncompressed,
  zstd
} from './library.ts'
import { maxMessagesPerSend, toKafkaJs } from './producer.ts'

/** What it asks of the cluster beside its own connection. */
export interface GroupOffsets {
  /** What the group has committed for a partition. */
  committed(group: string, topic: string, partition: number): Promise<Commit | undefined>
  partitionsOf(topic: string): Promise<number>
}

/** Readers wait as long for a transaction whose producer died and has no successor; no longer than a broker restarts. */
const transactionTimeoutMs = 30_000
const retryMs = 200
/** How long taking over an id outlives brokers that are away. */
const patienceMs = 20_000
/** An abort that is not answered by then is left to the successor, or to the timeout. */
const abortMs = 1000

const isSame = (a: Commit | undefined, b: Commit | undefined): boolean =>
  a?.offset === b?.offset && a?.metadata === b?.metadata

export class KafkaTransactions implements TransactionalProducer {
  readonly #kafka: Kafka
  readonly #connection: ConnectionOptions
  readonly #offsets: GroupOffsets
  readonly #options: TransactionOptions
  readonly #partitioner = createPartitioner()
  readonly #partitions = new Map<string, number>()
  readonly #closed = Promise.withResolvers<never>()
  #isClosed = false
  #isFenced = false
  #running: Promise<void> = Promise.resolve()
  #producer: KafkaJsProducer | undefined
  /** The transaction that an abort can still undo. */
  #open: Transaction | undefined
  /** What the group had committed when this producer, or the one before it, last knew. */
  #committed: Commit | undefined

  private constructor(kafka: Kafka, connection: ConnectionOptions, offsets: GroupOffsets, options: TransactionOptions) {
    this.#kafka = kafka
    this.#connection = connection
    this.#offsets = offsets
    this.#options = options
    this.#closed.promise.catch(() => {})
  }

  /** Takes over the id; see KafkaClient.transactional. */
  static async begin(
    kafka: Kafka,
    connection: ConnectionOptions,
    offsets: GroupOffsets,
    options: TransactionOptions
  ): Promise<KafkaTransactions> {
    const transactions = new KafkaTransactions(kafka, connection, offsets, options)
    // The first transaction of a cluster waits for the topic that it keeps them in.
    const deadline = Date.now() + patienceMs
    transactions.#committed = await transactions.#persist(
      () => transactions.#takeOver(),
      () => Date.now() > deadline
    )
    return transactions
  }

  async transact(work: (send: TransactionalSend) => Promise<void>, commit: Commit): Promise<void> {
    const transacted = this.#running.then(() => this.#unlessClosed(this.#transact(work, commit)))
    this.#running = transacted.catch(() => {})
    return transacted
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#closed.reject(this.#unavailable('the producer is closed'))
    await this.#running
    await this.#discard(this.#producer)
  }

  async #transact(work: (send: TransactionalSend) => Promise<void>, commit: Commit): Promise<void> {
    if (this.#isFenced) throw this.#fenced()
    if (this.#producer === undefined && !isSame(await this.#takeOver(), this.#committed)) throw this.#fenced()
    const producer = this.#producer
    if (producer === undefined) throw this.#unavailable('the producer is closed')
    const transaction = await producer.transaction()
    this.#open = transaction
    try {
      await work((topic, messages) => this.#send(transaction, topic, messages))
      await this.#ask(() => transaction.sendOffsets(this.#offsetsOf(commit)))
    } catch (error) {
      await this.#discard(producer)
      throw error
    }
    this.#open = undefined
    try {
      await this.#ask(() => transaction.commit())
    } catch {
      await this.#discard(producer)
      if (this.#isFenced) throw this.#fenced()
      await this.#learnEnd(commit)
    }
    this.#committed = commit
  }

  /** Resolves when the commit was done after all. */
  async #learnEnd(commit: Commit): Promise<void> {
    const committed = await this.#persist(() => this.#takeOver())
    if (isSame(committed, commit)) return
    if (isSame(committed, this.#committed)) throw this.#unavailable('it was undone')
    throw this.#fenced()
  }

  /**
   * Ends what the id's last holder had begun and did not end, and fences it.
   * @returns what the group has committed then; only this producer can change it, while it is not fenced itself
   */
  async #takeOver(): Promise<Commit | undefined> {
    const { id, group, topic, partition } = this.#options
    const producer = this.#kafka.producer({
      transactionalId: id,
      transactionTimeout: transactionTimeoutMs,
      maxInFlightRequests: 1,
      createPartitioner,
      allowAutoTopicCreation: false,
      // With another try kafkajs may leave out, or send twice, what goes to a leader that has moved.
      retry: { retries: 0 }
    })
    try {
      const committed = await this.#ask(async () => {
        await producer.connect()
        const empty = await producer.transaction()
        await empty.abort()
        return this.#offsets.committed(group, topic, partition)
      })
      if (this.#isClosed) throw this.#unavailable('the producer is closed')
      this.#producer = producer
      return committed
    } catch (error) {
      await producer.disconnect().catch(() => {})
      throw error
    }
  }

  async #send(transaction: Transaction, topic: string, messages: readonly Message[]): Promise<Refusal[]> {
    const refusals: Refusal[] = []
    for (const [partition, ofPartition] of await this.#byPartition(topic, messages)) {
      for (let at = 0; at < ofPartition.length; at += maxMessagesPerSend) {
        const chunk = ofPartition.slice(at, at + maxMessagesPerSend)
        refusals.push(...(await this.#request(transaction, topic, partition, chunk)))
      }
    }
    return refusals
  }

  /** One partition a request: when it is refused, nothing of it is stored. Finds the refused ones by halves. */
  async #request(
    transaction: Transaction,
    topic: string,
    partition: number,
    chunk: readonly Message[]
  ): Promise<Refusal[]> {
    if (this.#open !== transaction) throw this.#unavailable('it has ended')
    const compression = this.#connection.compression === 'none' ? uncompressed : zstd
    const messages = chunk.map((message) => ({ ...toKafkaJs(message), partition }))
    try {
      await this.#ask(() => transaction.send({ topic, messages, acks: -1, compression }))
      return []
    } catch (error) {
      const isRefusal = error instanceof RingsideError && error.code === 'DATA'
      const [message] = chunk
      if (!isRefusal || message === undefined) throw error
      if (chunk.length === 1) return [{ message, error }]
      const half = chunk.length >> 1
      const first = await this.#request(transaction, topic, partition, chunk.slice(0, half))
      return [...first, ...(await this.#request(transaction, topic, partition, chunk.slice(half)))]
    }
  }

  async #byPartition(topic: string, messages: readonly Message[]): Promise<Map<number, Message[]>> {
    let count = this.#partitions.get(topic)
    if (count === undefined) {
      count = await this.#offsets.partitionsOf(topic)
      this.#partitions.set(topic, count)
    }
    const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 0 }))
    return Map.groupBy(messages, (message) =>
      this.#partitioner({ topic, partitionMetadata: partitionMetadata as never, message: toKafkaJs(message) })
    )
  }

  #offsetsOf({ topic, partition, offset, metadata }: Commit) {
    const partitions = [{ partition, offset: String(offset), metadata }]
    return { consumerGroupId: this.#options.group, topics: [{ topic, partitions }] }
  }

  /** Lets go of a producer, and of what it has begun. */
  async #discard(producer: KafkaJsProducer | undefined): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (this.#producer === producer) this.#producer = undefined
    this.#partitions.clear()
    if (open !== undefined) {
      await Promise.race([open.abort().catch(() => {}), delay(abortMs, undefined, { ref: false })])
    }
    await producer?.disconnect().catch(() => {})
  }

  async #persist<T>(ask: () => Promise<T>, isOver = () => this.#isClosed): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (isOver() || !(error instanceof RingsideError) || !error.canRetry) throw error
        await delay(retryMs)
      }
    }
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const failure = toRingsideError(error, this.#what, this.#connection.brokers)
      if (failure.code === 'FENCED') this.#isFenced = true
      throw failure
    }
  }

  #unlessClosed<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#closed.promise])
  }

  get #what(): string {
    return `transaction of ${this.#options.id}`
  }

  #unavailable(why: string): RingsideError {
    return new RingsideError('UNAVAILABLE', `${this.#what}: ${why}`)
  }

  #fenced(): RingsideError {
    this.#isFenced = true
    return new RingsideError('FENCED', `${this.#what}: another instance has taken over`)
  }
}
