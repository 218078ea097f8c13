// One membership of a consumer group that goes on by itself: kafkajs's consumer in, batches and
// assignments out. A member that crashed or stalls is thrown away and a new one joins.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { type EachBatchPayload, isMissingTopic, type Kafka, type Consumer as KafkaJsConsumer } from './library.ts'

export interface GroupOptions {
  readonly kafka: Kafka
  readonly group: string
  readonly topics: readonly string[]
  readonly log: Log
  /** After each join, before any batch of it; the partitions of the earlier join are no longer ours. */
  onJoin(assignment: Readonly<Record<string, readonly number[]>>, member: KafkaJsConsumer): void
  /** The member left or was lost. */
  onLeave(): void
  onBatch(payload: EachBatchPayload, member: KafkaJsConsumer): Promise<void>
  /** The offset after the last one of a batch that is behind us; also of batches that held no messages. */
  onPassed(topic: string, partition: number, nextOffset: bigint): void
  /** A member ended with this error; a new one is about to join. */
  onCrash?(error: Error): void
  /** A member that has not fetched for so long is replaced; longer than a join takes where there are other members. */
  readonly stalledAfterMs?: number
}

/** How long a fetch waits for data: the latest end of a close, and how soon an idle member sees a rebalance. */
const fetchWaitMs = 250
const heartbeatMs = 2000
/** How long a killed member's partitions rest; a handler that blocks the event loop as long loses its own. */
const sessionMs = 10_000
/** kafkajs can come out of a failed rebalance without fetching ever again; the longest healthy pause is a join. */
const defaultStalledAfterMs = 90_000
/** Leaving in order takes milliseconds; a broker that is away must not hold up a close. */
const leaveMs = 3000
const firstBackoffMs = 200
const longestBackoffMs = 5000

export class GroupMember {
  readonly #options: GroupOptions
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  readonly #stalledAfterMs: number
  #member: KafkaJsConsumer | undefined
  #end: ((error: Error) => void) | undefined
  #busy = 0
  #lastSignOfLife = Date.now()

  constructor(options: GroupOptions) {
    this.#options = options
    this.#stalledAfterMs = options.stalledAfterMs ?? defaultStalledAfterMs
    this.#running = this.#run()
  }

  /** The kafkajs consumer of the moment; undefined between two memberships. */
  get current(): KafkaJsConsumer | undefined {
    return this.#member
  }

  /** Leaves, and joins as a new member. */
  rejoin(why: Error): void {
    this.#end?.(why)
  }

  /** Ends after the batches that are in onBatch now. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { log, group, topics } = this.#options
    let backoffMs = firstBackoffMs
    let said = ''
    while (!this.#closing.signal.aborted) {
      const joinedAt = Date.now()
      const error = await this.#liveOnce()
      if (error === undefined) return
      this.#options.onCrash?.(error)
      if (Date.now() - joinedAt > this.#stalledAfterMs) {
        backoffMs = firstBackoffMs
        said = ''
      }
      const what = isMissingTopic(error)
        ? `there is no topic ${topics.join(', ')}, waits for it: \`ringside topics create\` makes it`
        : `consumer of ${group} lost its membership, joins again: ${error.message}`
      log[what === said ? 'debug' : 'warn']({ group, backoffMs }, what)
      said = what
      await delay(backoffMs, undefined, { signal: this.#closing.signal }).catch(() => {})
      backoffMs = Math.min(2 * backoffMs, longestBackoffMs)
    }
  }

  /** Resolves with what ended the membership; undefined when it was close(). */
  async #liveOnce(): Promise<Error | undefined> {
    const { kafka, group } = this.#options
    const member = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: fetchWaitMs,
      // Compressed bytes, so several times as much in memory.
      maxBytes: 4 << 20,
      allowAutoTopicCreation: false
    })
    const ended = Promise.withResolvers<Error | undefined>()
    this.#end = ended.resolve
    this.#listen(member, ended.resolve)
    const stopWatching = this.#watch(ended.resolve)
    this.#member = member
    const joining = this.#join(member).catch((error: unknown) => {
      ended.resolve(error instanceof Error ? error : new Error(messageOf(error)))
    })
    try {
      return await ended.promise
    } finally {
      stopWatching()
      const leaving = joining.then(() => member.disconnect()).catch(() => {})
      await Promise.race([leaving, delay(leaveMs, undefined, { ref: false })])
      this.#member = undefined
      this.#options.onLeave()
    }
  }

  async #join(member: KafkaJsConsumer): Promise<void> {
    await member.connect()
    // From the beginning also when the committed offset is gone: what is left of the topic is all new to the group.
    await member.subscribe({ topics: [...this.#options.topics], fromBeginning: true })
    await member.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: (payload) => this.#onBatch(payload, member)
    })
  }

  #listen(member: KafkaJsConsumer, end: (error: Error) => void): void {
    const { events } = member
    const isCurrent = () => this.#member === member
    member.on(events.CRASH, ({ payload }) => end(payload.error))
    member.on(events.FETCH, () => this.#live())
    member.on(events.GROUP_JOIN, ({ payload }) => {
      this.#live()
      if (isCurrent()) this.#options.onJoin(payload.memberAssignment, member)
    })
    // Of batches without messages (markers of transactions) eachBatch never hears.
    member.on(events.END_BATCH_PROCESS, ({ payload }) => {
      this.#live()
      const { topic, partition, lastOffset } = payload
      if (isCurrent() && payload.batchSize === 0) this.#options.onPassed(topic, partition, BigInt(lastOffset) + 1n)
    })
  }

  #live(): void {
    this.#lastSignOfLife = Date.now()
  }

  #watch(end: (error: Error | undefined) => void): () => void {
    this.#live()
    const timer = setInterval(() => {
      if (this.#busy > 0) this.#live()
      const silentMs = Date.now() - this.#lastSignOfLife
      if (silentMs > this.#stalledAfterMs) end(new Error(`no fetch for ${Math.round(silentMs / 1000)} s`))
    }, heartbeatMs)
    const close = () => end(undefined)
    this.#closing.signal.addEventListener('abort', close)
    if (this.#closing.signal.aborted) close()
    return () => {
      clearInterval(timer)
      this.#closing.signal.removeEventListener('abort', close)
    }
  }

  /** kafkajs beats its heart only between batches; a handler that waits for a broker must not lose the partition. */
  async #onBatch(payload: EachBatchPayload, member: KafkaJsConsumer): Promise<void> {
    if (this.#member !== member) return
    const beat = setInterval(() => payload.heartbeat().catch(() => {}), heartbeatMs)
    this.#busy += 1
    try {
      await this.#options.onBatch(payload, member)
    } finally {
      this.#busy -= 1
      clearInterval(beat)
    }
  }
}
