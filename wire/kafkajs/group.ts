// Lasting membership in a consumer group: kafkajs consumers in, assignments and batches out. When a kafkajs consumer
// crashes or stalls, it is discarded and a new one joins.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Membership } from '../client.ts'
import {
  type EachBatchPayload,
  isMissingTopic,
  isTransient,
  type Kafka,
  type Consumer as KafkaJsConsumer
} from './library.ts'
import { LossLog } from './loss-log.ts'

export interface GroupOptions {
  readonly kafka: Kafka
  readonly group: string
  readonly topics: readonly string[]
  readonly log: Log
  /** After each join, before its first batch. The partitions of earlier joins are revoked. */
  onJoin(assignment: Readonly<Record<string, readonly number[]>>, member: KafkaJsConsumer): void
  /** The member left or was lost. */
  onLeave(): void
  onBatch(payload: EachBatchPayload, member: KafkaJsConsumer): Promise<void>
  /** The offset after a batch without messages, for which onBatch is not called. */
  onAdvance(topic: string, partition: number, nextOffset: bigint): void
  /** A member failed; a new one is about to join. */
  onCrash?(error: Error): void
  /** Member after member failed with an error that no retry can fix: none joins any more. */
  onGiveUp(error: Error): void
  /** A member that has not fetched for this long is replaced. Must exceed the time of a join with other members. */
  readonly stalledAfterMs?: number
}

/** How long a fetch waits for data: bounds the time of a close, and until an idle member notices a rebalance. */
const fetchWaitMs = 250
const heartbeatMs = 2000
/** Time until a killed member's partitions are assigned again. A handler that blocks the event loop as long loses its own. */
const sessionMs = 10_000
/** kafkajs can stop fetching after a failed rebalance. The longest healthy pause is a join. */
const defaultStalledAfterMs = 90_000
/** Leaving takes milliseconds; an unreachable broker must not delay a close. */
const leaveMs = 3000
const firstBackoffMs = 200
const longestBackoffMs = 5000
/** A defect of kafkajs may hit one member and not the next; one that hits so many without a fetch hits all. */
const maxHopelessInARow = 5

const stalled = (silentMs: number): Error =>
  new RingsideError('UNAVAILABLE', `no fetch for ${Math.round(silentMs / 1000)} s`)

/** Another instance took over a partition: a rejoin divides the partitions anew. */
const isFenced = (error: Error): boolean => error instanceof RingsideError && error.code === 'FENCED'

export class GroupMember {
  readonly #options: GroupOptions
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  readonly #stalledAfterMs: number
  #member: KafkaJsConsumer | undefined
  #end: ((error: Error) => void) | undefined
  #busy = 0
  #isMember = false
  #joins = 0
  #crashes = 0
  #hopelessInARow = 0
  #lastError: string | undefined
  #lastActiveMs = Date.now()

  constructor(options: GroupOptions) {
    this.#options = options
    this.#stalledAfterMs = options.stalledAfterMs ?? defaultStalledAfterMs
    this.#running = this.#run()
  }

  /** The current kafkajs consumer; undefined between two memberships. */
  get current(): KafkaJsConsumer | undefined {
    return this.#member
  }

  get membership(): Membership {
    return {
      isMember: this.#isMember,
      crashes: this.#crashes,
      rejoins: Math.max(0, this.#joins - 1),
      lastError: this.#lastError
    }
  }

  /** Leaves the group and joins as a new member. */
  rejoin(why: Error): void {
    this.#end?.(why)
  }

  /** Leaves the group once the calls of onBatch in progress have ended. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { log, group, topics } = this.#options
    let backoffMs = firstBackoffMs
    const losses = new LossLog(group, log)
    /** For a missing topic, which has been said. */
    let isWaiting = false
    while (!this.#closing.signal.aborted) {
      const joinedAt = Date.now()
      const error = await this.#liveOnce()
      if (error === undefined) return
      this.#crashes += 1
      this.#lastError = error.message
      this.#options.onCrash?.(error)
      if (!isTransient(error) && !isFenced(error) && ++this.#hopelessInARow >= maxHopelessInARow) {
        this.#options.onGiveUp(error)
        return
      }
      if (Date.now() - joinedAt > this.#stalledAfterMs) {
        backoffMs = firstBackoffMs
        isWaiting = false
      }
      if (isMissingTopic(error)) {
        const names = topics.join(', ')
        const message = `topic ${names} does not exist, waiting for it; create it with \`ringside topics create\``
        log[isWaiting ? 'debug' : 'warn']({ group, backoffMs }, message)
      } else {
        losses.lost(error.message, backoffMs)
      }
      isWaiting = isMissingTopic(error)
      await delay(backoffMs, undefined, { signal: this.#closing.signal }).catch(() => {})
      backoffMs = Math.min(2 * backoffMs, longestBackoffMs)
    }
  }

  /** Resolves with the error that ended the membership; undefined after close(). */
  async #liveOnce(): Promise<Error | undefined> {
    const { kafka, group } = this.#options
    const member = kafka.consumer({
      groupId: group,
      sessionTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: fetchWaitMs,
      // Counts compressed bytes: in memory it is several times as much.
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
      this.#isMember = false
      const leaving = joining.then(() => member.disconnect()).catch(() => {})
      await Promise.race([leaving, delay(leaveMs, undefined, { ref: false })])
      this.#member = undefined
      this.#options.onLeave()
    }
  }

  async #join(member: KafkaJsConsumer): Promise<void> {
    await member.connect()
    // Also when the committed offset is out of range: the group has read none of the remaining messages.
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
    member.on(events.FETCH, () => {
      this.#touch()
      this.#hopelessInARow = 0
    })
    member.on(events.GROUP_JOIN, ({ payload }) => {
      this.#touch()
      if (!isCurrent()) return
      this.#isMember = true
      this.#joins += 1
      this.#options.onJoin(payload.memberAssignment, member)
    })
    // kafkajs does not call eachBatch for batches without messages (transaction markers).
    member.on(events.END_BATCH_PROCESS, ({ payload }) => {
      this.#touch()
      const { topic, partition, lastOffset } = payload
      if (isCurrent() && payload.batchSize === 0) this.#options.onAdvance(topic, partition, BigInt(lastOffset) + 1n)
    })
  }

  #touch(): void {
    this.#lastActiveMs = Date.now()
  }

  #watch(end: (error: Error | undefined) => void): () => void {
    this.#touch()
    const timer = setInterval(() => {
      if (this.#busy > 0) this.#touch()
      const silentMs = Date.now() - this.#lastActiveMs
      if (silentMs > this.#stalledAfterMs) end(stalled(silentMs))
    }, heartbeatMs)
    const close = () => end(undefined)
    this.#closing.signal.addEventListener('abort', close)
    if (this.#closing.signal.aborted) close()
    return () => {
      clearInterval(timer)
      this.#closing.signal.removeEventListener('abort', close)
    }
  }

  /** kafkajs sends heartbeats only between batches; a handler that waits for a broker must not lose the partition. */
  async #onBatch(payload: EachBatchPayload, member: KafkaJsConsumer): Promise<void> {
    if (this.#member !== member) return
    const heartbeat = setInterval(() => payload.heartbeat().catch(() => {}), heartbeatMs)
    this.#busy += 1
    try {
      await this.#options.onBatch(payload, member)
    } finally {
      this.#busy -= 1
      clearInterval(heartbeat)
    }
  }
}
