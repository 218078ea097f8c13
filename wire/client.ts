// The seam at which the Kafka client can be replaced: everything that Ringside asks of one.
// wire/kafkajs/ implements it; wire/kafka.ts is the one factory.
import type { RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'

export interface ConnectionOptions {
  /** host:port each. */
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly log: Log
  /** Of what is produced; zstd unless said otherwise. Any is read. */
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

export interface Producer {
  /** Resolves when all in-sync replicas have the messages; messages of one key keep their order. */
  send(topic: string, messages: readonly Message[]): Promise<void>
  close(): Promise<void>
}

/** A message that Kafka will never take: too large, or not allowed. */
export interface Refusal {
  readonly message: Message
  readonly error: RingsideError
}

/**
 * Sends to any topic within a transaction, messages of one key in their order.
 * @returns those that are refused for good; the others are in the transaction
 * @throws RingsideError that can be retried, with the whole transaction
 */
export type TransactionalSend = (topic: string, messages: readonly Message[]) => Promise<readonly Refusal[]>

/** Sends to any topics and commits a group's offset of one partition: all of it, or nothing, whatever dies in the middle. */
export interface TransactionalProducer {
  /**
   * One after another, in the order of the calls.
   * @param work sends what is to be seen; nothing is before the end
   * @param commit what the group has read by then, seen with it. Its offset or metadata differ from those of the
   *   commit before: so the end is known even when its answer is lost
   * @throws what `work` throws; RingsideError UNAVAILABLE, canRetry: nothing of it was done; FENCED: another producer
   *   took over the id, this one can do nothing any more
   */
  transact(work: (send: TransactionalSend) => Promise<void>, commit: Commit): Promise<void>
  close(): Promise<void>
}

/** Messages of one partition, in order, as one fetch brought them. */
export interface FetchedBatch {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly ReceivedMessage[]
  /** Offset after the last message that the partition holds now; messages up to it make the lag. */
  readonly endOffset: bigint
}

export interface Commit {
  readonly topic: string
  readonly partition: number
  /** The next offset to read after a restart. */
  readonly offset: bigint
  readonly metadata: string
}

export interface ConsumerCallbacks {
  /**
   * A partition is ours now. What its last owner may still commit is to be over when this resolves: only then is asked
   * what was committed. Called again while it rejects with an error that can be retried.
   */
  onClaimed?(partition: { topic: string; partition: number }): Promise<void>
  /**
   * One call at a time for a partition. A rejection with FENCED gives all partitions back and joins anew; any other
   * stops the consumer: `done` rejects.
   */
  onBatch(batch: FetchedBatch): Promise<void>
  /** Before the first batch of a newly assigned partition; with what was last committed for it, and where it begins. */
  onAssigned(partition: {
    topic: string
    partition: number
    committed: Commit | undefined
    start: bigint
  }): Promise<void>
  /** The partition belongs to another member now; what is uncommitted will come again there. */
  onRevoked(partition: { topic: string; partition: number }): void
}

/** Reads as a member of a group; what it has read is committed by transactions. */
export interface Consumer {
  /** Resolves when every assigned partition was read up to where its end was when this was called. */
  caughtUp(): Promise<void>
  /** Rejects when the consumer cannot go on; resolves at close(). */
  readonly done: Promise<void>
  close(): Promise<void>
}

export interface ConsumerOptions extends ConsumerCallbacks {
  readonly group: string
  readonly topics: readonly string[]
  /** Where to begin when the group has committed nothing. */
  readonly from: 'earliest' | 'latest'
}

/** Reads partitions without a group and without committing: what `tail` and `verify` do. */
export interface ReaderOptions {
  readonly topic: string
  /** Begin with the first message at or after this time; undefined begins at the end. */
  readonly sinceMs?: number | undefined
  /** End at the offsets that were the partitions' ends at the start, instead of waiting for more. */
  readonly untilEnd: boolean
  /** May return false to stop. */
  onMessage(message: ReceivedMessage, partition: number): boolean | undefined | Promise<boolean | undefined>
}

export interface TopicSpecification {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  /** Broker topic settings, such as retention.ms. */
  readonly settings: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  /** Sum over partitions of the offsets from first to end: an upper bound on the messages held. */
  readonly messages: bigint
}

/** How far a group has come in one partition. */
export interface GroupProgress {
  readonly group: string
  readonly commit: Commit
  /** Offset after the last message that the partition holds. */
  readonly endOffset: bigint
}

export interface TransactionOptions {
  /** One for each partition of a group, always the same: the last to ask for it is the one that can commit. */
  readonly id: string
  readonly group: string
  readonly topic: string
  readonly partition: number
}

export interface KafkaClient {
  producer(): Promise<Producer>
  /**
   * Takes over a transactional id: what its last holder had begun and not ended is undone, and that holder is FENCED
   * from then on. What the group has committed for the partition is final when this resolves.
   * @throws RingsideError UNAVAILABLE, canRetry, when Kafka does not answer; DATA when it refuses
   */
  transactional(options: TransactionOptions): Promise<TransactionalProducer>
  consumer(options: ConsumerOptions): Promise<Consumer>
  /** Resolves when untilEnd is reached, onMessage returned false, or the signal fired. */
  read(options: ReaderOptions, signal?: AbortSignal): Promise<void>
  /** Creates what is missing and leaves what exists as it is. Returns the names it created. */
  ensureTopics(topics: readonly TopicSpecification[]): Promise<string[]>
  describeTopics(names: readonly string[]): Promise<TopicDescription[]>
  /** Of each group in each partition of the topics in which it has committed something; topics may be missing. */
  progress(groups: readonly string[], topics: readonly string[]): Promise<GroupProgress[]>
  /** The cluster's id and number of brokers; rejects with UNAVAILABLE when none answers. */
  ping(): Promise<{ clusterId: string; brokers: number }>
}
