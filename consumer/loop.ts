// The one consume loop: batch → what of it is new → handler → outputs → commit. An offset is committed only when all
// that came of the messages before it is acknowledged; what cannot be handled goes to `deadletter`.
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../runtime/config.ts'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Commit, Consumer, FetchedBatch, KafkaClient, Producer, ReceivedMessage } from '../wire/client.ts'
import { topicName } from '../wire/topics.ts'
import { deadLetter } from './dead-letters.ts'
import type { Context, HandlerModule } from './handler.ts'
import { type Hosted, hostHandler, type InputTopic, inputTopics } from './input.ts'
import { Outbox, type OutputKind } from './outbox.ts'
import { Publisher } from './publisher.ts'

export interface LoopOptions {
  /** Name of the service, for dead letters and logs. */
  readonly service: string
  readonly group: string
  readonly module: HandlerModule
  readonly client: KafkaClient
  readonly topics: Pick<Config, 'topicPrefix' | 'kafka'>
  readonly from: 'earliest' | 'latest'
  readonly log: Log
}

/** The loop's own, and beside them what its handlers count. */
export type LoopCounters = Record<'batches' | 'events' | 'replayed' | 'repeats' | OutputKind | 'lagRecords', number> &
  Record<string, number>

/** What one assignment of a partition has come to. */
interface PartitionRun extends Hosted {
  readonly topic: string
  readonly partition: number
  next: bigint
  lagRecords: number
  /** When the last message that was handled came to Kafka; undefined before the first. */
  handledMs: number | undefined
}

/** How far behind the end of a partition the loop is, as of the last fetch. */
export interface Lag {
  readonly topic: string
  readonly partition: number
  readonly records: number
  /** Age of the last message handled while others wait; 0 when none does. */
  readonly seconds: number
}

/** Bounds the memory of a fetch whose batches make many outputs each; a fetch of audit rows is about 30,000. */
const maxOutboxMessages = 5000
const commitMs = 200
const commitRetryMs = 5000
/** What is being sent when the stop comes is acknowledged in milliseconds, or not soon. */
const stopPatienceMs = 3000
/** The broker's offset.metadata.max.bytes. */
const maxMetadataBytes = 4096

const keyOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`

const addCounters = (sums: Record<string, number>, { handler }: Hosted): void => {
  for (const [name, count] of Object.entries(handler.counters?.() ?? {})) sums[name] = (sums[name] ?? 0) + count
}

export class ConsumeLoop {
  readonly #options: LoopOptions
  readonly #producer: Producer
  readonly #publisher: Publisher
  readonly #consumer: Promise<Consumer>
  /** By full name. */
  readonly #topics: ReadonlyMap<string, InputTopic>
  readonly #runs = new Map<string, PartitionRun>()
  readonly #uncommitted = new Map<string, Commit>()
  readonly #active = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #abandon = new AbortController()
  readonly #counters = {
    batches: 0,
    events: 0,
    replayed: 0,
    repeats: 0,
    rollups: 0,
    hosts: 0,
    alerts: 0,
    alertUpdates: 0,
    audit: 0,
    other: 0,
    deadletters: 0
  }
  /** What the handlers of partitions that were taken away had counted. */
  readonly #revokedCounters: Record<string, number> = {}
  #committing: Promise<void> = Promise.resolve()
  #commitTimer: NodeJS.Timeout | undefined
  #lastCommitMs = 0
  #stopped: Promise<void> | undefined

  private constructor(options: LoopOptions, producer: Producer) {
    this.#options = options
    this.#producer = producer
    const { signal: stopping } = this.#stopping
    const { signal: abandon } = this.#abandon
    this.#publisher = new Publisher({ ...options, producer, stopping, abandon })
    this.#topics = new Map(inputTopics(options.module).map((name) => [topicName(options.topics, name), name]))
    this.#consumer = options.client.consumer({
      group: options.group,
      topics: [...this.#topics.keys()],
      from: options.from,
      onAssigned: async ({ topic, partition, committed }) => this.#assign(topic, partition, committed),
      onRevoked: (revoked) => this.#revoke(keyOf(revoked)),
      onBatch: (batch) => this.#track(this.#onBatch(batch))
    })
  }

  /** Does not wait for Kafka: the loop begins when it answers. */
  static async start(options: LoopOptions): Promise<ConsumeLoop> {
    const loop = new ConsumeLoop(options, await options.client.producer())
    await loop.#consumer
    return loop
  }

  /** Rejects when a handler cannot be made or another defect stands in the way; resolves at stop(). */
  get done(): Promise<void> {
    return this.#consumer.then((consumer) => consumer.done)
  }

  counters(): LoopCounters {
    const counted = { ...this.#revokedCounters }
    let lagRecords = 0
    for (const run of this.#runs.values()) {
      addCounters(counted, run)
      lagRecords += run.lagRecords
    }
    const deadletters = this.#counters.deadletters + this.#publisher.refusals
    return { ...counted, ...this.#counters, deadletters, lagRecords }
  }

  lags(): Lag[] {
    return [...this.#runs.values()].map(({ topic, partition, lagRecords: records, handledMs }) => {
      const seconds = records > 0 && handledMs !== undefined ? Math.max(0, Date.now() - handledMs) / 1000 : 0
      return { topic, partition, records, seconds }
    })
  }

  /** Handles everything that is in the topic now, then stops. */
  async drain(): Promise<void> {
    const consumer = await this.#consumer
    await Promise.race([consumer.caughtUp(), consumer.done])
    await this.stop()
  }

  /** Ends after the message that is being handled; commits what is published. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    const patience = setTimeout(() => this.#abandon.abort(), stopPatienceMs)
    const consumer = await this.#consumer
    await Promise.allSettled(this.#active)
    clearTimeout(this.#commitTimer)
    await Promise.race([this.#commit(), delay(stopPatienceMs, undefined, { ref: false })])
    await consumer.close()
    await this.#producer.close()
    clearTimeout(patience)
  }

  #assign(topic: string, partition: number, committed: Commit | undefined): void {
    const { module, log } = this.#options
    const host = (): Hosted => hostHandler(module, this.#topics.get(topic) ?? 'events', partition)
    let hosted = host()
    if (committed !== undefined && committed.metadata !== '') {
      try {
        hosted.handler.restore(committed.metadata)
      } catch (error) {
        log.error({ topic, partition, metadata: committed.metadata }, `state is not restored: ${messageOf(error)}`)
        hosted = host()
      }
    }
    const next = committed?.offset ?? 0n
    this.#runs.set(keyOf({ topic, partition }), {
      ...hosted,
      topic,
      partition,
      next,
      lagRecords: 0,
      handledMs: undefined
    })
  }

  #revoke(key: string): void {
    const run = this.#runs.get(key)
    if (run !== undefined) addCounters(this.#revokedCounters, run)
    this.#runs.delete(key)
    this.#uncommitted.delete(key)
  }

  #track(work: Promise<void>): Promise<void> {
    this.#active.add(work)
    const forget = () => this.#active.delete(work)
    work.then(forget, forget)
    return work
  }

  async #onBatch(batch: FetchedBatch): Promise<void> {
    const run = this.#runs.get(keyOf(batch))
    if (run === undefined) return
    let outbox = new Outbox(this.#options.topics.topicPrefix)
    for (const message of batch.messages) {
      if (this.#stopping.signal.aborted) break
      // Taken away in mid-batch: all that is not committed comes to the new owner.
      if (this.#runs.get(keyOf(run)) !== run) return
      await this.#handle(run, message, outbox)
      run.next = message.offset + 1n
      run.lagRecords = Number(batch.endOffset - run.next)
      run.handledMs = message.timestampMs
      if (outbox.size < maxOutboxMessages) continue
      if (!(await this.#settle(run, outbox))) return
      outbox = new Outbox(this.#options.topics.topicPrefix)
    }
    await this.#settle(run, outbox)
  }

  /** One message: its outputs are in the outbox afterwards, or it is, as a dead letter. */
  async #handle(run: PartitionRun, message: ReceivedMessage, outbox: Outbox): Promise<void> {
    const { service, log } = this.#options
    const { topic, partition } = run
    const { offset, value } = message
    try {
      if (value === null) throw new RingsideError('DATA', 'a message without a value')
      await this.#handleValue(run, value, { topic, partition, offset, log }, outbox)
    } catch (error) {
      log.warn({ topic, partition, offset: String(offset) }, `dead letter: ${messageOf(error)}`)
      outbox.addDeadLetter(deadLetter(message, error, { service, topic, partition, offset }, Date.now()))
    }
  }

  async #handleValue({ handler, input }: PartitionRun, bytes: Buffer, context: Context, outbox: Outbox): Promise<void> {
    const value = input.read(bytes)
    this.#counters.batches += 1
    const read = input.eventsIn(value)
    let handled = 0
    try {
      const unseen = input.unseenOf(value)
      if (unseen === undefined) return
      handled = input.eventsIn(unseen)
      outbox.addAll(await handler.handle(unseen, context))
      // Only now: a dead letter that is sent again is no repeat.
      input.add(unseen)
    } finally {
      this.#counters[handler.isReplaying === true ? 'replayed' : 'events'] += handled
      this.#counters.repeats += read - handled
    }
  }

  /**
   * Publishes, then lets the offsets be committed: the one place to put both in a transaction.
   * @returns false when the loop was stopped before all was acknowledged; the messages come again then
   */
  async #settle(run: PartitionRun, outbox: Outbox): Promise<boolean> {
    if (!(await this.#publisher.publish(outbox.messages))) return false
    for (const [kind, count] of outbox.counts) this.#counters[kind] += count
    const { topic, partition, handler, next } = run
    const key = keyOf(run)
    if (this.#runs.get(key) !== run) return true
    try {
      const { holdOffset, metadata } = handler.checkpoint()
      if (Buffer.byteLength(metadata) > maxMetadataBytes) {
        throw new Error(`its metadata has more than ${maxMetadataBytes} bytes`)
      }
      const offset = holdOffset !== undefined && holdOffset < next ? holdOffset : next
      this.#uncommitted.set(key, { topic, partition, offset, metadata })
    } catch (error) {
      this.#options.log.error({ topic, partition }, `offsets stay as they are, no checkpoint: ${messageOf(error)}`)
    }
    await this.#commitWhenDue()
    return true
  }

  async #commitWhenDue(): Promise<void> {
    const dueMs = this.#lastCommitMs + commitMs - Date.now()
    if (dueMs <= 0) return this.#commit()
    this.#commitTimer ??= setTimeout(() => void this.#commit(), dueMs)
  }

  /** Never rejects: what is not committed now is with the next, or comes again after a restart. */
  #commit(): Promise<void> {
    this.#committing = this.#committing.then(async () => {
      clearTimeout(this.#commitTimer)
      this.#commitTimer = undefined
      this.#lastCommitMs = Date.now()
      if (this.#uncommitted.size === 0) return
      const commits = new Map(this.#uncommitted)
      try {
        const consumer = await this.#consumer
        await consumer.commit([...commits.values()])
        for (const [key, commit] of commits) {
          if (this.#uncommitted.get(key) === commit) this.#uncommitted.delete(key)
        }
      } catch (error) {
        this.#options.log.debug(`not committed yet: ${messageOf(error)}`)
        if (!this.#stopping.signal.aborted) this.#commitTimer ??= setTimeout(() => void this.#commit(), commitRetryMs)
      }
    })
    return this.#committing
  }
}
