// The one consume loop: batch → handler → outputs → commit. An offset is committed only when all that
// came of the messages before it is acknowledged; what cannot be handled goes to `deadletter`.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Commit, Consumer, FetchedBatch, KafkaClient, Message, Producer, ReceivedMessage } from '../wire/client.ts'
import { decode } from '../wire/codec.ts'
import { topicName } from '../wire/topics.ts'
import { deadLetter } from './dead-letters.ts'
import type { HandlerModule, StatefulHandler } from './handler.ts'
import { Outbox, type OutputKind } from './outbox.ts'

export interface LoopOptions {
  /** Name of the service, for dead letters and logs. */
  readonly service: string
  readonly group: string
  readonly module: HandlerModule
  readonly client: KafkaClient
  readonly topicPrefix: string
  readonly from: 'earliest' | 'latest'
  readonly log: Log
}

export type LoopCounters = Record<'batches' | 'events' | 'replayed' | OutputKind | 'lagRecords', number>

/** What one assignment of a partition has come to. */
interface PartitionRun {
  readonly topic: string
  readonly partition: number
  readonly handler: StatefulHandler
  next: bigint
  lagRecords: number
}

/** Bounds the memory of a fetch whose batches make many outputs each; a fetch of audit rows is about 30,000. */
const maxOutboxMessages = 5000
const maxMessagesPerSend = 1000
const commitMs = 200
const firstBackoffMs = 200
const longestBackoffMs = 5000
/** What is being sent when the stop comes is acknowledged in milliseconds, or not soon. */
const stopPatienceMs = 3000
/** The broker's offset.metadata.max.bytes. */
const maxMetadataBytes = 4096

const keyOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`

const createHandler = (module: HandlerModule, partition: number): StatefulHandler =>
  typeof module === 'function'
    ? { handle: module, checkpoint: () => ({ holdOffset: undefined, metadata: '' }), restore: () => {} }
    : module.create(partition)

export class ConsumeLoop {
  readonly #options: LoopOptions
  readonly #producer: Producer
  readonly #consumer: Promise<Consumer>
  readonly #runs = new Map<string, PartitionRun>()
  readonly #uncommitted = new Map<string, Commit>()
  readonly #active = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #abandon = new AbortController()
  readonly #counters = {
    batches: 0,
    events: 0,
    replayed: 0,
    rollups: 0,
    alerts: 0,
    alertUpdates: 0,
    audit: 0,
    other: 0,
    deadletters: 0
  }
  #committing: Promise<void> = Promise.resolve()
  #commitTimer: NodeJS.Timeout | undefined
  #lastCommitMs = 0
  #stopped: Promise<void> | undefined

  private constructor(options: LoopOptions, producer: Producer) {
    this.#options = options
    this.#producer = producer
    this.#consumer = options.client.consumer({
      group: options.group,
      topics: [topicName(options, 'events')],
      from: options.from,
      onAssigned: async ({ topic, partition, committed }) => this.#assign(topic, partition, committed),
      onRevoked: (revoked) => {
        this.#runs.delete(keyOf(revoked))
        this.#uncommitted.delete(keyOf(revoked))
      },
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
    let lagRecords = 0
    for (const run of this.#runs.values()) lagRecords += run.lagRecords
    return { ...this.#counters, lagRecords }
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
    let handler = createHandler(module, partition)
    if (committed !== undefined && committed.metadata !== '') {
      try {
        handler.restore(committed.metadata)
      } catch (error) {
        log.error({ topic, partition, metadata: committed.metadata }, `state is not restored: ${messageOf(error)}`)
        handler = createHandler(module, partition)
      }
    }
    const next = committed?.offset ?? 0n
    this.#runs.set(keyOf({ topic, partition }), { topic, partition, handler, next, lagRecords: 0 })
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
    let outbox = new Outbox(this.#options.topicPrefix)
    for (const message of batch.messages) {
      if (this.#stopping.signal.aborted) break
      await this.#handle(run, message, outbox)
      run.next = message.offset + 1n
      run.lagRecords = Number(batch.endOffset - run.next)
      if (outbox.size < maxOutboxMessages) continue
      if (!(await this.#settle(run, outbox))) return
      outbox = new Outbox(this.#options.topicPrefix)
    }
    await this.#settle(run, outbox)
  }

  /** One message: its outputs are in the outbox afterwards, or it is, as a dead letter. */
  async #handle({ topic, partition, handler }: PartitionRun, message: ReceivedMessage, outbox: Outbox): Promise<void> {
    const { service, log } = this.#options
    const { offset, value } = message
    try {
      if (value === null) throw new RingsideError('DATA', 'a message without a value')
      const batch = decode('EventBatch', value)
      this.#counters.batches += 1
      try {
        outbox.addAll(await handler.handle(batch, { topic, partition, offset, log }))
      } finally {
        this.#counters[handler.isReplaying === true ? 'replayed' : 'events'] += batch.events.length
      }
    } catch (error) {
      log.warn({ topic, partition, offset: String(offset) }, `dead letter: ${messageOf(error)}`)
      outbox.addDeadLetter(deadLetter(message, error, { service, topic, partition, offset }, Date.now()))
    }
  }

  /**
   * Publishes, then lets the offsets be committed: the one place to put both in a transaction.
   * @returns false when the loop was stopped before all was acknowledged; the messages come again then
   */
  async #settle(run: PartitionRun, outbox: Outbox): Promise<boolean> {
    const published = await Promise.all([...outbox.messages].map(([topic, messages]) => this.#publish(topic, messages)))
    if (published.includes(false)) return false
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

  async #publish(topic: string, messages: readonly Message[]): Promise<boolean> {
    for (let at = 0; at < messages.length; at += maxMessagesPerSend) {
      if (!(await this.#send(topic, messages.slice(at, at + maxMessagesPerSend)))) return false
    }
    return true
  }

  /** Sends until acknowledged; what the broker refuses for good becomes a dead letter. */
  async #send(topic: string, messages: readonly Message[]): Promise<boolean> {
    const stopping = this.#stopping.signal
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      try {
        return await this.#unlessAbandoned(this.#producer.send(topic, messages))
      } catch (error) {
        if (!(error instanceof RingsideError) || !error.canRetry) return this.#isolate(topic, messages, error)
        if (stopping.aborted) return false
        this.#options.log.warn({ topic, backoffMs }, `nothing is lost, sends again: ${error.message}`)
        await delay(backoffMs, undefined, { signal: stopping }).catch(() => {})
        if (stopping.aborted) return false
      }
    }
  }

  async #unlessAbandoned(sent: Promise<void>): Promise<boolean> {
    const { signal } = this.#abandon
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const abandon = () => resolve(false)
    signal.addEventListener('abort', abandon)
    sent.then(() => resolve(true), reject)
    return promise.finally(() => signal.removeEventListener('abort', abandon))
  }

  /** Finds the refused ones among messages that were refused together. */
  async #isolate(topic: string, messages: readonly Message[], error: unknown): Promise<boolean> {
    const { service, log, topicPrefix } = this.#options
    const [only] = messages
    if (only === undefined) return true
    if (messages.length > 1) {
      const half = messages.length >> 1
      return (await this.#send(topic, messages.slice(0, half))) && (await this.#send(topic, messages.slice(half)))
    }
    const deadLetters = topicName({ topicPrefix }, 'deadletter')
    const letter = topic === deadLetters ? only : deadLetter(only, error, { service, topic }, Date.now())
    if (topic === deadLetters && only.value === null) {
      log.error(`a dead letter is lost: ${messageOf(error)}`)
      return true
    }
    log.error({ topic, bytes: only.value?.length }, `an output is refused: ${messageOf(error)}`)
    if (topic !== deadLetters) this.#counters.deadletters += 1
    // Too large even for there: at least its headers tell of it.
    return this.#send(deadLetters, [topic === deadLetters ? { ...letter, value: null } : letter])
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
        if (!this.#stopping.signal.aborted)
          this.#commitTimer ??= setTimeout(() => void this.#commit(), longestBackoffMs)
      }
    })
    return this.#committing
  }
}
