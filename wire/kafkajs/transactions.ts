// TransactionalProducer on kafkajs: messages and a group's offset of one partition in, all committed or none.
//
// After any failure the kafkajs producer is replaced: kafkajs would give a lost request's sequence number to the next one.
// The new producer aborts the open transaction (InitProducerId). The group's committed offset then shows the outcome of a
// commit whose answer was lost: the new offset means committed, the previous one aborted, any other a new owner.
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

/** Requests to the cluster outside the producer's connection. */
export interface GroupOffsets {
  /** The group's last commit for a partition. */
  committed(group: string, topic: string, partition: number): Promise<Commit | undefined>
  partitionsOf(topic: string): Promise<number>
}

/** Readers wait up to this time for a transaction whose producer died without a successor: about a broker's restart. */
const transactionTimeoutMs = 30_000
const retryMs = 200
/** Taking over an id gives up after this time. */
const giveUpAfterMs = 20_000
/** Without an answer by then, the abort is left to the next producer, or to the transaction timeout. */
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
  /** The transaction that can still be aborted. */
  #open: Transaction | undefined
  /** The group's last known commit. */
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
    // The first transaction of a cluster waits until the topic __transaction_state is created.
    const deadline = Date.now() + giveUpAfterMs
    transactions.#committed = await transactions.#retry(
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
      await this.#call(() => transaction.sendOffsets(this.#offsetsOf(commit)))
    } catch (error) {
      await this.#discard(producer)
      throw error
    }
    this.#open = undefined
    try {
      await this.#call(() => transaction.commit())
    } catch {
      await this.#discard(producer)
      if (this.#isFenced) throw this.#fenced()
      await this.#findOutcome(commit)
    }
    this.#committed = commit
  }

  /** Resolves when the transaction was committed although its commit failed. */
  async #findOutcome(commit: Commit): Promise<void> {
    const committed = await this.#retry(() => this.#takeOver())
    if (isSame(committed, commit)) return
    if (isSame(committed, this.#committed)) throw this.#unavailable('Kafka aborted it')
    throw this.#fenced()
  }

  /**
   * Fences the previous producer of the id and aborts its open transaction.
   * @returns the group's last commit; until this producer is fenced, only it can change it
   */
  async #takeOver(): Promise<Commit | undefined> {
    const { id, group, topic, partition } = this.#options
    const producer = this.#kafka.producer({
      transactionalId: id,
      transactionTimeout: transactionTimeoutMs,
      maxInFlightRequests: 1,
      createPartitioner,
      allowAutoTopicCreation: false,
      // On a retry kafkajs may skip, or send twice, the messages to a partition whose leader moved.
      retry: { retries: 0 }
    })
    try {
      const committed = await this.#call(async () => {
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
        refusals.push(...(await this.#sendToPartition(transaction, topic, partition, chunk)))
      }
    }
    return refusals
  }

  /** Sends to one partition: when Kafka refuses the request, it stores none of it. Finds the refused messages by bisection. */
  async #sendToPartition(
    transaction: Transaction,
    topic: string,
    partition: number,
    chunk: readonly Message[]
  ): Promise<Refusal[]> {
    if (this.#open !== transaction) throw this.#unavailable('the transaction has ended')
    const compression = this.#connection.compression === 'none' ? uncompressed : zstd
    const messages = chunk.map((message) => ({ ...toKafkaJs(message), partition }))
    try {
      await this.#call(() => transaction.send({ topic, messages, acks: -1, compression }))
      return []
    } catch (error) {
      const isRefusal = error instanceof RingsideError && error.code === 'DATA'
      const [message] = chunk
      if (!isRefusal || message === undefined) throw error
      if (chunk.length === 1) return [{ message, error }]
      const half = chunk.length >> 1
      const first = await this.#sendToPartition(transaction, topic, partition, chunk.slice(0, half))
      return [...first, ...(await this.#sendToPartition(transaction, topic, partition, chunk.slice(half)))]
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

  /** Disconnects a producer and aborts its open transaction. */
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

  async #retry<T>(call: () => Promise<T>, isOver = () => this.#isClosed): Promise<T> {
    for (;;) {
      try {
        return await call()
      } catch (error) {
        if (isOver() || !(error instanceof RingsideError) || !error.canRetry) throw error
        await delay(retryMs)
      }
    }
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const failure = toRingsideError(error, this.#name, this.#connection.brokers)
      if (failure.code === 'FENCED') this.#isFenced = true
      throw failure
    }
  }

  #unlessClosed<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#closed.promise])
  }

  get #name(): string {
    return `transaction of ${this.#options.id}`
  }

  #unavailable(why: string): RingsideError {
    return new RingsideError('UNAVAILABLE', `${this.#name}: ${why}`)
  }

  #fenced(): RingsideError {
    this.#isFenced = true
    return new RingsideError('FENCED', `${this.#name}: another instance has taken over`)
  }
}
