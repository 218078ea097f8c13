// Consumer on kafkajs: a group's fetched batches in, ConsumerCallbacks out. Each join revokes all partitions and assigns
// them again, because kafkajs then fetches from the committed offset: state built beyond it would count messages twice.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Commit, ConnectionOptions, Consumer, ConsumerOptions, Membership, PartitionPosition } from '../client.ts'
import { GroupMember } from './group.ts'
import {
  type Admin,
  type EachBatchPayload,
  type Kafka,
  type Consumer as KafkaJsConsumer,
  toRingsideError
} from './library.ts'
import { type Bounds, fetchBounds, fetchCommits, keyOf } from './offsets.ts'
import { partsOf } from './received.ts'

interface PartitionState {
  readonly topic: string
  readonly partition: number
  /** The next offset for onBatch; undefined before onStart. */
  position: bigint | undefined
  /** onAssigned was called: onRevoked must follow. */
  isAnnounced: boolean
}

/** The partitions of one join. */
interface Assignment {
  readonly partitions: ReadonlyMap<string, PartitionState>
  readonly member: KafkaJsConsumer
  /** Resolves when every partition has started, or the assignment was revoked. */
  ready: Promise<void>
  isReady: boolean
}

const retryMs = 500
const pollMs = 20

export class KafkaConsumer implements Consumer {
  readonly done: Promise<void>
  readonly #kafka: Kafka
  readonly #log: Log
  readonly #brokers: readonly string[]
  readonly #options: ConsumerOptions
  readonly #ended = Promise.withResolvers<void>()
  readonly #inFlight = new Map<string, Promise<void>>()
  readonly #group: GroupMember
  #assignment: Assignment | undefined
  /** Of the last assignment, with the positions from before a rejoin until it has new ones: lag must stay visible. */
  #positions = new Map<string, Omit<PartitionPosition, 'endOffset'>>()
  #closed = false

  /** @param steady a client of the same cluster with more retries, for the membership */
  constructor(kafka: Kafka, steady: Kafka, { log, brokers }: ConnectionOptions, options: ConsumerOptions) {
    this.#kafka = kafka
    this.#log = log
    this.#brokers = brokers
    this.#options = options
    this.done = this.#ended.promise
    // A rejection before anyone awaits `done` must not end the process.
    this.done.catch(() => {})
    this.#group = new GroupMember({
      kafka: steady,
      group: options.group,
      topics: options.topics,
      log,
      onJoin: (assignment, member) => this.#onJoin(assignment, member),
      onLeave: () => this.#revoke(),
      onBatch: (payload) => this.#onBatch(payload),
      onAdvance: (topic, partition, nextOffset) => this.#advance(this.#assignment, topic, partition, nextOffset),
      onGiveUp: (error) => this.#fail(toRingsideError(error, `cannot consume as group ${options.group}`, brokers))
    })
  }

  get membership(): Membership {
    return this.#group.membership
  }

  async positions(): Promise<PartitionPosition[]> {
    const topics = new Set(Array.from(this.#positions.values(), ({ topic }) => topic))
    const bounds = topics.size === 0 ? undefined : await this.#withAdmin((admin) => fetchBounds(admin, topics))
    return Array.from(this.#positions, ([key, each]) => ({
      ...each,
      endOffset: bounds?.get(key)?.high ?? each.position ?? 0n
    }))
  }

  async caughtUp(): Promise<void> {
    const ends = await this.#retry(
      () => this.#closed,
      () => this.#withAdmin((admin) => fetchBounds(admin, this.#options.topics))
    )
    const isBehind = ({ topic, partition, position }: PartitionState): boolean => {
      const end = ends?.get(keyOf(topic, partition))?.high ?? 0n
      return position === undefined || position < end
    }
    while (!this.#closed) {
      const current = this.#assignment
      if (current?.isReady && ![...current.partitions.values()].some(isBehind)) return
      await delay(pollMs)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#group.close()
    this.#ended.resolve()
  }

  #onJoin(assignment: Readonly<Record<string, readonly number[]>>, member: KafkaJsConsumer): void {
    const earlier = this.#assignment?.ready
    this.#revoke()
    const states = Object.entries(assignment).flatMap(([topic, partitions]) =>
      partitions.map((partition): [string, PartitionState] => [
        keyOf(topic, partition),
        { topic, partition, position: undefined, isAnnounced: false }
      ])
    )
    const joined: Assignment = { partitions: new Map(states), member, ready: Promise.resolve(), isReady: false }
    this.#assignment = joined
    this.#positions = new Map(
      states.map(([key, { topic, partition }]) => [
        key,
        { topic, partition, position: this.#positions.get(key)?.position }
      ])
    )
    joined.ready = Promise.resolve(earlier)
      .then(() => this.#start(joined))
      .catch((error: unknown) => this.#end(joined, error))
  }

  #revoke(): void {
    const revoked = this.#assignment
    this.#assignment = undefined
    if (revoked === undefined) return
    for (const { topic, partition, isAnnounced } of revoked.partitions.values()) {
      if (isAnnounced) this.#options.onRevoked({ topic, partition })
    }
  }

  /** Calls onAssigned for every partition, finds the offset to start from, and calls onStart. */
  async #start(joined: Assignment): Promise<void> {
    const isOver = () => this.#assignment !== joined
    const partitions = [...joined.partitions.values()]
    const topics = [...new Set(partitions.map(({ topic }) => topic))]
    await Promise.all(partitions.map((state) => this.#retry(isOver, () => this.#announce(state))))
    const known = await this.#retry(isOver, () =>
      this.#withAdmin(async (admin) => ({
        bounds: await fetchBounds(admin, topics),
        commits: topics.length === 0 ? [] : await fetchCommits(admin, this.#options.group, topics)
      }))
    )
    if (known === undefined) return
    for (const [key, state] of joined.partitions) {
      const { topic, partition } = state
      const bounds = known.bounds.get(key) ?? { low: 0n, high: 0n }
      const stored = known.commits.find((commit) => keyOf(commit.topic, commit.partition) === key)
      const committed = this.#usable(stored, bounds)
      // Even a group whose committed offset is out of range has unread messages: it must not skip to the end.
      const fromEnd = stored === undefined && this.#options.from === 'latest'
      const start = committed?.offset ?? (fromEnd ? bounds.high : bounds.low)
      // A batch of an earlier membership may still be in progress in the partition's handler.
      await this.#inFlight.get(key)
      if (isOver()) return
      await this.#options.onStart({ topic, partition, committed, start })
      if (isOver()) return
      this.#move(state, start)
      // kafkajs fetched the committed offset before the previous owner's transaction ended.
      joined.member.seek({ topic, partition, offset: String(start) })
    }
    joined.isReady = true
  }

  async #announce(state: PartitionState): Promise<void> {
    const { topic, partition } = state
    state.isAnnounced = true
    await this.#options.onAssigned?.({ topic, partition })
  }

  /** Undefined when retention removed the committed offset, or a recreated topic never had it (kafkajs marks it with -2). */
  #usable(stored: Commit | undefined, { low, high }: Bounds): Commit | undefined {
    if (stored === undefined || (stored.offset >= low && stored.offset <= high)) return stored
    const { topic, partition, offset } = stored
    this.#log.warn({ topic, partition, offset, low, high }, 'committed offset out of range, resetting to earliest')
    return undefined
  }

  async #onBatch({ batch, resolveOffset, isStale }: EachBatchPayload): Promise<void> {
    const current = this.#assignment
    await current?.ready
    const { topic, partition } = batch
    const key = keyOf(topic, partition)
    const from = current?.partitions.get(key)?.position
    if (current === undefined || current !== this.#assignment || from === undefined || isStale()) return
    const last = batch.messages.at(-1)
    if (last === undefined) return
    for (const part of partsOf(batch.messages, from)) {
      const { onBatch, onUnreadable } = this.#options
      const handled = Array.isArray(part)
        ? onBatch({ topic, partition, messages: part })
        : onUnreadable({ topic, partition, ...part })
      const settled = handled.catch((error: unknown) => this.#end(current, error))
      this.#inFlight.set(key, settled)
      await settled
      this.#inFlight.delete(key)
      if (current !== this.#assignment || this.#closed) return
    }
    resolveOffset(last.offset)
    this.#advance(current, topic, partition, BigInt(batch.lastOffset()) + 1n)
  }

  #advance(assignment: Assignment | undefined, topic: string, partition: number, nextOffset: bigint): void {
    const state = assignment?.partitions.get(keyOf(topic, partition))
    if (state?.position !== undefined && state.position < nextOffset) this.#move(state, nextOffset)
  }

  #move(state: PartitionState, position: bigint): void {
    const { topic, partition } = state
    state.position = position
    this.#positions.set(keyOf(topic, partition), { topic, partition, position })
  }

  /** Retries until Kafka answers or refuses; undefined when `isOver` turned true first. */
  async #retry<T>(isOver: () => boolean, call: () => Promise<T>): Promise<T | undefined> {
    while (!isOver()) {
      try {
        return await call()
      } catch (error) {
        if (!(error instanceof RingsideError) || !error.canRetry) throw error
        this.#log.debug({ group: this.#options.group, error: messageOf(error) }, 'Kafka does not answer, retrying')
        await delay(retryMs)
      }
    }
    return undefined
  }

  async #withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin()
    try {
      await admin.connect()
      return await use(admin)
    } catch (error) {
      throw toRingsideError(error, `cannot consume as group ${this.#options.group}`, this.#brokers)
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }

  /** A fenced consumer no longer owns its partitions and rejoins; any other error stops the consumer. */
  #end(assignment: Assignment, error: unknown): void {
    if (this.#closed) return
    if (error instanceof RingsideError && error.code === 'FENCED') {
      if (assignment !== this.#assignment) return
      this.#revoke()
      this.#group.rejoin(error)
      return
    }
    this.#fail(error)
  }

  #fail(error: unknown): void {
    this.#closed = true
    this.#ended.reject(error)
    void this.#group.close()
  }
}
