// What one assignment of a partition has come to: batches of messages in, outputs and offset out, in one transaction.
// Whatever dies in between, each message's outputs are in their topics once.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Commit, FetchedBatch, ReceivedMessage, TransactionalProducer } from '../../wire/client.ts'
import { type Context, maxMetadataBytes } from '../handler.ts'
import { deadLetter } from './dead-letters.ts'
import type { Hosted } from './input.ts'
import { Outbox, type OutputKind } from './outbox.ts'
import type { Publisher } from './publisher.ts'

/** What the loop counts by itself, over all of its partitions. */
export type OwnCounters = Record<'batches' | 'events' | 'replayed' | 'duplicates' | OutputKind, number>

export interface PartitionRunOptions extends Hosted {
  /** Name of the service, for dead letters. */
  readonly service: string
  readonly topicPrefix: string
  readonly topic: string
  readonly partition: number
  readonly committed: Commit | undefined
  /** The offset of the first message. */
  readonly start: bigint
  readonly producer: TransactionalProducer
  readonly publisher: Publisher
  /** Added to. */
  readonly counters: OwnCounters
  /** Ends after the message that is being handled. */
  readonly stopping: AbortSignal
  readonly log: Log
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
/** Messages of which nothing came are committed with the next outputs, or after this time. */
const commitMs = 1000
const firstBackoffMs = 200
const longestBackoffMs = 5000

export class PartitionRun {
  readonly #options: PartitionRunOptions
  readonly #over = new AbortController()
  readonly #ending: AbortSignal
  #outbox: Outbox
  #committed: Commit | undefined
  #next: bigint
  #lagRecords = 0
  /** When the last message that was handled came to Kafka; undefined before the first. */
  #handledMs: number | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #commitTimer: NodeJS.Timeout | undefined

  constructor(options: PartitionRunOptions) {
    this.#options = options
    this.#outbox = new Outbox(options.topicPrefix)
    this.#committed = options.committed
    this.#next = options.start
    this.#ending = AbortSignal.any([options.stopping, this.#over.signal])
  }

  get lag(): Lag {
    const { topic, partition } = this.#options
    const records = this.#lagRecords
    const behind = records > 0 && this.#handledMs !== undefined
    return { topic, partition, records, seconds: behind ? Math.max(0, Date.now() - (this.#handledMs ?? 0)) / 1000 : 0 }
  }

  /** What the handler counts, by name. */
  counters(): Readonly<Record<string, number>> {
    return this.#options.handler.counters?.() ?? {}
  }

  /** @throws RingsideError FENCED when another instance took over the partition; DATA when Kafka refuses to commit */
  take(batch: FetchedBatch): Promise<void> {
    return this.#inTurn(() => this.#take(batch))
  }

  /** Commits what was handled and is not committed yet. */
  async commit(): Promise<void> {
    await this.#inTurn(() => this.#settle())
  }

  /** As commit(), and a failure comes again with the next batch. */
  commitLate(): void {
    this.#commitTimer = undefined
    const { topic, partition, log } = this.#options
    this.commit().catch((error) => log.debug({ topic, partition }, `not committed: ${messageOf(error)}`))
  }

  /** Lets the partition go: all that is not committed comes to its new owner. */
  async close(): Promise<void> {
    this.#over.abort()
    clearTimeout(this.#commitTimer)
    await this.#options.producer.close()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #take(batch: FetchedBatch): Promise<void> {
    for (const message of batch.messages) {
      if (this.#ending.aborted) break
      await this.#handle(message)
      this.#next = message.offset + 1n
      this.#lagRecords = Number(batch.endOffset - this.#next)
      this.#handledMs = message.timestampMs
      if (this.#outbox.size >= maxOutboxMessages) await this.#settle()
    }
    if (this.#outbox.size > 0) await this.#settle()
    else this.#commitTimer ??= setTimeout(() => this.commitLate(), commitMs)
  }

  /** One message: its outputs are in the outbox afterwards, or it is, as a dead letter. */
  async #handle(message: ReceivedMessage): Promise<void> {
    const { service, topic, partition, log } = this.#options
    const { offset, value } = message
    try {
      if (value === null) throw new RingsideError('DATA', 'a message without a value')
      await this.#handleValue(value, { topic, partition, offset, log })
    } catch (error) {
      log.warn({ topic, partition, offset: String(offset) }, `dead letter: ${messageOf(error)}`)
      this.#outbox.addDeadLetter(deadLetter(message, error, { service, topic, partition, offset }, Date.now()))
    }
  }

  async #handleValue(bytes: Buffer, context: Context): Promise<void> {
    const { handler, input, counters } = this.#options
    const value = input.read(bytes)
    counters.batches += 1
    const read = input.eventsIn(value)
    let handled = 0
    try {
      const unseen = input.unseenOf(value)
      if (unseen === undefined) return
      handled = input.eventsIn(unseen)
      this.#outbox.addAll(await handler.handle(unseen, context))
      // Only now: a dead letter that is sent again is no repeat.
      input.add(unseen)
    } finally {
      counters[handler.isReplaying === true ? 'replayed' : 'events'] += handled
      counters.duplicates += read - handled
    }
  }

  /** One transaction of what is in the outbox and the offset after it, until it is done or the run ends. */
  async #settle(): Promise<void> {
    const { producer, publisher, topic, partition, log } = this.#options
    const commit = this.#checkpoint()
    const isCommitted = commit.offset === this.#committed?.offset && commit.metadata === this.#committed.metadata
    if (this.#over.signal.aborted || (this.#outbox.size === 0 && isCommitted)) return
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      let refused = 0
      try {
        await producer.transact(async (send) => {
          refused = await publisher.publish(this.#outbox.messages, send)
        }, commit)
        return this.#settled(commit, refused)
      } catch (error) {
        if (this.#over.signal.aborted) return
        if (!(error instanceof RingsideError) || !error.canRetry) throw error
        if (this.#ending.aborted) return
        log.warn({ topic, partition, backoffMs }, `nothing is lost, does it again: ${error.message}`)
        await delay(backoffMs, undefined, { signal: this.#ending }).catch(() => {})
        if (this.#ending.aborted) return
      }
    }
  }

  #settled(commit: Commit, refused: number): void {
    const { counters, topicPrefix } = this.#options
    for (const [kind, count] of this.#outbox.counts) counters[kind] += count
    counters.deadletters += refused
    this.#outbox = new Outbox(topicPrefix)
    this.#committed = commit
    clearTimeout(this.#commitTimer)
    this.#commitTimer = undefined
  }

  #checkpoint(): Commit {
    const { handler, topic, partition, log } = this.#options
    const next = this.#next
    try {
      const { resumeOffset, metadata } = handler.checkpoint()
      if (Buffer.byteLength(metadata) > maxMetadataBytes) {
        throw new Error(`its metadata has more than ${maxMetadataBytes} bytes`)
      }
      return {
        topic,
        partition,
        offset: resumeOffset !== undefined && resumeOffset < next ? resumeOffset : next,
        metadata
      }
    } catch (error) {
      log.error({ topic, partition }, `the offset stays as it is, no checkpoint: ${messageOf(error)}`)
      return this.#committed ?? { topic, partition, offset: this.#options.start, metadata: '' }
    }
  }
}
