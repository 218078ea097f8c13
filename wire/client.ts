// The interface between Ringside and a Kafka client library: another library can replace kafkajs behind it.
// wire/kafkajs/ implements it, wire/kafka.ts creates it; test/wire/kafka*.test.ts are the contract that every
// implementation must pass.
import type { RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'

export interface ConnectionOptions {
  /** Each as host:port. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly log: Log
  /** Compression of sent messages; default: zstd. Received messages may have any. */
  readonly compression?: 'zstd' | 'none'
}

export interface Message {
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers?: Readonly<Record<string, string>>
}

export interface ReceivedMessage {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  readonly offset: bigint
  readonly timestampMs: number
}

/**
 * A record batch that cannot be read: an unknown codec, corrupt bytes, or more than the bounds allow. It takes the place
 * of its messages.
 */
export interface UnreadableBatch {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly reason: string
  /** The record batch as Kafka stores it. */
  readonly bytes: Buffer
}

export interface Producer {
  /** Resolves when all in-sync replicas have the messages. Messages with one key keep their order. */
  send(topic: string, messages: readonly Message[]): Promise<void>
  close(): Promise<void>
}

/** A message that Kafka will never accept: too large, or not permitted. */
export interface Refusal {
  readonly message: Message
  readonly error: RingsideError
}

/**
 * Sends messages within a transaction. Messages with one key keep their order.
 * @returns the refused messages; all others are in the transaction
 * @throws RingsideError with canRetry: retry the whole transaction
 */
export type TransactionalSend = (topic: string, messages: readonly Message[]) => Promise<readonly Refusal[]>

/** Commits messages to any topics together with a group's offset of one partition: all of it, or nothing. */
export interface TransactionalProducer {
  /**
   * Runs one transaction after another, in the order of the calls.
   * @param work sends the messages; readers see them when the transaction is committed
   * @param commit the group's new offset. Its offset or metadata must differ from the previous commit: they show whether
   *   a transaction was committed when the answer was lost
   * @throws the error of `work`; RingsideError UNAVAILABLE with canRetry when the transaction was aborted; FENCED when
   *   another producer has taken over the id, after which this one stays unusable
   */
  transact(work: (send: TransactionalSend) => Promise<void>, commit: Commit): Promise<void>
  close(): Promise<void>
}

/** Consecutive messages of one partition, from one fetch. */
export interface FetchedBatch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly ReceivedMessage[]
}

export interface FetchedUnreadable extends UnreadableBatch {
  readonly topic: string
  readonly partition: number
}

export interface Commit {
  readonly topic: string
  readonly partition: number
  /** The next offset to read after a restart. */
  readonly offset: bigint
  readonly metadata: string
}

/** In order for each partition: onAssigned, onStart, onBatch repeatedly, onRevoked. */
export interface ConsumerCallbacks {
  /**
   * The group has assigned a partition to this consumer. The committed offset is read after this resolves: it must make
   * sure that the previous owner can commit no more. Retried when it rejects with canRetry.
   */
  onAssigned?(partition: { topic: string; partition: number }): Promise<void>
  /** Before the first batch: the group's last commit for the partition, and the offset of the first message to come. */
  onStart(partition: { topic: string; partition: number; committed: Commit | undefined; start: bigint }): Promise<void>
  /**
   * One call at a time for each partition. When it rejects with FENCED, the consumer gives up its partitions and rejoins
   * the group; any other rejection stops the consumer, and `done` rejects.
   */
  onBatch(batch: FetchedBatch): Promise<void>
  /** As onBatch, and in order with it. */
  onUnreadable(batch: FetchedUnreadable): Promise<void>
  /** Another consumer will own the partition, and receive its uncommitted messages. */
  onRevoked(partition: { topic: string; partition: number }): void
}

/** A consumer's place in its group. */
export interface Membership {
  /** False before the first join, and after a membership was lost until the next join. */
  readonly isMember: boolean
  /** Memberships that ended with an error. After each, a new member joins. */
  readonly crashes: number
  /** Joins after the first: of new members, and with each rebalance of the group. */
  readonly rejoins: number
  /** Why the last membership was lost; undefined when none was. */
  readonly lastError: string | undefined
}

/** Where a consumer is in a partition, and where the partition ends. */
export interface PartitionPosition {
  readonly topic: string
  readonly partition: number
  /** The next offset to handle; undefined while the first is not known. */
  readonly position: bigint | undefined
  /** The offset after the last message that the broker has. */
  readonly endOffset: bigint
}

/** A member of a consumer group. It commits nothing by itself: a TransactionalProducer does. */
export interface Consumer {
  readonly membership: Membership
  /**
   * Asks the broker for the ends of the partitions of the last assignment, also while the membership is lost.
   * @throws RingsideError UNAVAILABLE when Kafka does not answer
   */
  positions(): Promise<PartitionPosition[]>
  /** Resolves when every assigned partition has been read to the end that it had at the call. */
  caughtUp(): Promise<void>
  /** Resolves at close(); rejects when the consumer cannot continue, or when no retry can help. */
  readonly done: Promise<void>
  close(): Promise<void>
}

export interface ConsumerOptions extends ConsumerCallbacks {
  readonly group: string
  readonly topics: readonly string[]
  /** Where to start when the group has no committed offset. */
  readonly from: 'earliest' | 'latest'
}

/** A read without a group and without commits, as `tail` and `verify` need it. */
export interface ReaderOptions {
  readonly topic: string
  /** Start at the first message with this timestamp or a later one; undefined: start at the end. */
  readonly sinceMs?: number | undefined
  /** Stop at the end that each partition had at the start, instead of waiting for new messages. */
  readonly untilEnd: boolean
  /** Only the partition of messages with this key; default: all. */
  readonly key?: string | undefined
  /** After each fetch of a read with untilEnd: the messages before its place, and all between its start and its end. */
  onProgress?(read: number, total: number): void
  /** Return false to stop. */
  onMessage(message: ReceivedMessage, partition: number): boolean | undefined | Promise<boolean | undefined>
  /** The read goes on behind the batch. */
  onUnreadable(batch: UnreadableBatch, partition: number): void
}

export interface TopicSpecification {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  /** Topic settings of the broker, such as retention.ms. */
  readonly settings: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  /** Replicas that must have a message before Kafka acknowledges it; undefined when this client may not see it. */
  readonly minInsyncReplicas: number | undefined
  /** Sum of the offsets from first to end over all partitions: an upper bound on the number of messages. */
  readonly messages: bigint
}

/** Position of a group in one partition. */
export interface GroupProgress {
  readonly group: string
  readonly commit: Commit
  /** The offset after the partition's last message. */
  readonly endOffset: bigint
}

/** The members of a consumer group, by ids of their own: a member that crashed rejoins with another. */
export interface GroupMembers {
  readonly group: string
  readonly members: readonly string[]
}

export interface TransactionOptions {
  /** Use one id for each partition of a group: the latest producer with the id is the only one that can commit. */
  readonly id: string
  readonly group: string
  readonly topic: string
  readonly partition: number
}

export interface KafkaClient {
  producer(): Promise<Producer>
  /**
   * Takes over a transactional id: aborts the open transaction of its previous producer, which is FENCED from then on.
   * When this resolves, the group's committed offset of the partition is final.
   * @throws RingsideError UNAVAILABLE with canRetry when Kafka does not answer; DATA when it refuses
   */
  transactional(options: TransactionOptions): Promise<TransactionalProducer>
  consumer(options: ConsumerOptions): Promise<Consumer>
  /** Resolves at the end (untilEnd), when onMessage returns false, or when the signal aborts. */
  read(options: ReaderOptions, signal?: AbortSignal): Promise<void>
  /**
   * Creates missing topics; existing ones stay unchanged.
   * @returns the names of the topics that were missing; another process may have created them at the same time
   */
  ensureTopics(topics: readonly TopicSpecification[]): Promise<string[]>
  /** Descriptions of the topics that exist. */
  describeTopics(names: readonly string[]): Promise<TopicDescription[]>
  /** One entry for each group and partition with a committed offset. Topics may be missing. */
  progress(groups: readonly string[], topics: readonly string[]): Promise<GroupProgress[]>
  /** One entry for each group; without members when it does not exist. */
  members(groups: readonly string[]): Promise<GroupMembers[]>
  /** Rejects with UNAVAILABLE when no broker answers. */
  ping(): Promise<{ clusterId: string; brokers: number }>
}
