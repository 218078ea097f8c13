// One partition from its assignment to its revocation: messages in; outputs and offset out, in one transaction. Whatever
// fails in between, the outputs of each message are in their topics once.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type {
  Commit,
  FetchedBatch,
  FetchedUnreadable,
  ReceivedMessage,
  TransactionalProducer
} from '../../wire/client.ts'
import { describeUnreadable } from '../../wire/describe-unreadable.ts'
import { type Context, maxMetadataBytes } from '../handler.ts'
import { formatMetadata } from '../state/commit-metadata.ts'
import { deadLetter } from './dead-letter.ts'
import type { Hosted } from './input.ts'
import type { Progress } from './lag-watch.ts'
import { Outbox, type OutputKind } from './outbox.ts'
import type { Publisher } from './publisher.ts'

/** Counts of the loop over all partitions; records are counted when Kafka acknowledges them. */
export type LoopCounts = Record<'batches' | 'events' | 'replayed' | 'duplicates' | 'rejected' | OutputKind, number>

export interface PartitionRunOptions extends Hosted {
  /** Name of the service, for dead letters. */
  readonly service: string
  readonly topicPrefix: string
  readonly handlerTimeoutMs: number
  readonly topic: string
  readonly partition: number
  readonly committed: Commit | undefined
  /** The first offset to read. */
  readonly start: bigint
  /** Messages before this offset were handled before the restart: what could not be is in deadletter. */
  readonly handledBefore: bigint
  readonly producer: TransactionalProducer
  readonly publisher: Publisher
  /** The run adds to these. */
  readonly counts: LoopCounts
  /** Aborts when the service stops: the run finishes the message in progress. */
  readonly stopping: AbortSignal
  readonly log: Log
}

/** Bounds the memory of a fetch whose batches have many outputs each; a fetch of audit records has about 30,000. */
const maxOutboxMessages = 5000
/** Messages without outputs are committed with the next outputs, or after this time. */
const commitMs = 1000
const firstBackoffMs = 200
const longestBackoffMs = 5000

export class PartitionRun {
  readonly #options: PartitionRunOptions
  readonly #closed = new AbortController()
  /** Aborts when the service stops or the partition is revoked. */
  readonly #ending: AbortSignal
  #outbox: Outbox
  #committed: Commit | undefined
  /** The offset after the last handled message. */
  #next: bigint
  /** During a replay, where the last owner of the partition was; then #next. */
  #handledUntil: bigint
  /** Kafka's timestamp of the last handled message; undefined before the first. */
  #handledMs: number | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #commitTimer: NodeJS.Timeout | undefined

  constructor(options: PartitionRunOptions) {
    this.#options = options
    this.#outbox = new Outbox(options.topicPrefix)
    this.#committed = options.committed
    this.#next = options.start
    this.#handledUntil = options.handledBefore
    this.#ending = AbortSignal.any([options.stopping, this.#closed.signal])
  }

  get progress(): Progress {
    return { next: this.#next, handledMs: this.#handledMs }
  }

  /** The handler's own counts. */
  counters(): Readonly<Record<string, number>> {
    return this.#options.handler.counters?.() ?? {}
  }

  /** @throws RingsideError FENCED when another instance took over the partition; DATA when Kafka refuses the commit */
  handle(batch: FetchedBatch): Promise<void> {
    return this.#inTurn(() => this.#handleBatch(batch))
  }

  /** Sends a record batch that cannot be read to deadletter, and goes on behind it. Throws as handle() does. */
  handleUnreadable(batch: FetchedUnreadable): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#ending.aborted) return
      const { service, log } = this.#options
      const { topic, partition, firstOffset, lastOffset, bytes } = batch
      if (lastOffset >= this.#options.handledBefore) {
        const error = new RingsideError('DATA', describeUnreadable(batch))
        log.warn({ topic, partition }, `sending a record batch to deadletter: ${error.message}`)
        const origin = { service, topic, partition, offset: firstOffset, lastOffset }
        this.#outbox.addDeadLetter(deadLetter({ key: null, value: bytes }, error, origin, Date.now()))
      }
      this.#advance(lastOffset + 1n)
      await this.#publish()
    })
  }

  /** Commits the messages handled since the last commit. */
  async commit(): Promise<void> {
    await this.#inTurn(() => this.#publish())
  }

  /** Commits without a caller that waits; a failure occurs again with the next batch, which reports it. */
  commitInBackground(): void {
    this.#commitTimer = undefined
    const { topic, partition, log } = this.#options
    this.commit().catch((error) => log.debug({ topic, partition }, `cannot commit: ${messageOf(error)}`))
  }

  /** Gives the partition up: its next owner handles every uncommitted message. */
  async close(): Promise<void> {
    this.#closed.abort()
    clearTimeout(this.#commitTimer)
    await this.#options.producer.close()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #handleBatch(batch: FetchedBatch): Promise<void> {
    for (const message of batch.messages) {
      if (this.#ending.aborted) break
      await this.#handleMessage(message)
      this.#advance(message.offset + 1n)
      this.#handledMs = message.timestampMs
      if (this.#outbox.size >= maxOutboxMessages) await this.#publish()
    }
    if (this.#outbox.size > 0) await this.#publish()
    else this.#commitTimer ??= setTimeout(() => this.commitInBackground(), commitMs)
  }

  /** Adds the outputs of one message to the outbox, or the message itself as a dead letter. */
  async #handleMessage(message: ReceivedMessage): Promise<void> {
    const { service, topic, partition, log } = this.#options
    const { offset, value } = message
    try {
      if (value === null) throw new RingsideError('DATA', 'the message has no value')
      await this.#handleValue(value, { topic, partition, offset, timestampMs: message.timestampMs, log })
      this.#reportRejected(message)
    } catch (error) {
      // The next owner of the partition handles the message.
      if (this.#closed.signal.aborted || offset < this.#options.handledBefore) return
      const reason = messageOf(error)
      log.warn(
        { topic, partition, offset: String(offset) },
        `cannot handle a message, sending it to deadletter: ${reason}`
      )
      this.#outbox.addDeadLetter(deadLetter(message, error, { service, topic, partition, offset }, Date.now()))
    }
  }

  /** Rows that were left out: the whole message is the dead letter, its other rows have been handled. */
  #reportRejected(message: ReceivedMessage): void {
    const { service, topic, partition, input, handledBefore, counts, log } = this.#options
    const { rejected } = input
    const { offset } = message
    if (rejected === undefined || offset < handledBefore) return
    counts.rejected += rejected.rows
    const why = `${rejected.rows} of ${rejected.of} rows are left out, the others are handled: ${rejected.reason}`
    log.warn({ topic, partition, offset: String(offset) }, `sending a message to deadletter: ${why}`)
    const error = new RingsideError('DATA', why)
    this.#outbox.addDeadLetter(deadLetter(message, error, { service, topic, partition, offset }, Date.now()))
  }

  async #handleValue(bytes: Buffer, context: Context): Promise<void> {
    const { handler, input, counts } = this.#options
    const value = input.read(bytes)
    counts.batches += 1
    const read = input.eventsIn(value)
    let handled = 0
    try {
      const unseen = input.unseenOf(value)
      if (unseen === undefined) return
      handled = input.eventsIn(unseen)
      this.#outbox.addAll(await this.#inTime(handler.handle(unseen, context)))
      // Only now: a dead letter that is sent again is no duplicate.
      input.add(unseen)
    } finally {
      counts[handler.isReplaying === true ? 'replayed' : 'events'] += handled
      counts.duplicates += read - handled
    }
  }

  /** A handler that hangs has failed. */
  async #inTime<T>(answer: T | Promise<T>): Promise<T> {
    if (!(answer instanceof Promise)) return answer
    const { handlerTimeoutMs } = this.#options
    const { promise: ended, reject } = Promise.withResolvers<never>()
    const why = `the handler has not answered for ${handlerTimeoutMs} ms (consumers.handlerTimeoutMs)`
    const timer = setTimeout(() => reject(new Error(why)), handlerTimeoutMs)
    const onClosed = (): void => reject(new Error('the partition is revoked'))
    this.#closed.signal.addEventListener('abort', onClosed)
    try {
      return await Promise.race([answer, ended])
    } finally {
      clearTimeout(timer)
      this.#closed.signal.removeEventListener('abort', onClosed)
    }
  }

  /** Sends the outbox and commits the offset in one transaction. Retries until it succeeds or the run ends. */
  async #publish(): Promise<void> {
    const { producer, publisher, topic, partition, log } = this.#options
    const commit = this.#checkpoint()
    const isCommitted = commit.offset === this.#committed?.offset && commit.metadata === this.#committed.metadata
    if (this.#closed.signal.aborted || (this.#outbox.size === 0 && isCommitted)) return
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      let refused = 0
      try {
        await producer.transact(async (send) => {
          refused = await publisher.publish(this.#outbox.messages, send)
        }, commit)
        return this.#onCommitted(commit, refused)
      } catch (error) {
        if (this.#closed.signal.aborted) return
        if (!(error instanceof RingsideError) || !error.canRetry) throw error
        if (this.#ending.aborted) return
        log.warn({ topic, partition, backoffMs }, `transaction failed, retrying in ${backoffMs} ms: ${error.message}`)
        await delay(backoffMs, undefined, { signal: this.#ending }).catch(() => {})
        if (this.#ending.aborted) return
      }
    }
  }

  #onCommitted(commit: Commit, refused: number): void {
    const { counts, topicPrefix } = this.#options
    for (const [kind, count] of this.#outbox.counts) counts[kind] += count
    counts.deadletters += refused
    this.#outbox = new Outbox(topicPrefix)
    this.#committed = commit
    clearTimeout(this.#commitTimer)
    this.#commitTimer = undefined
  }

  #advance(next: bigint): void {
    this.#next = next
    if (next > this.#handledUntil) this.#handledUntil = next
  }

  #checkpoint(): Commit {
    const { handler, topic, partition, log } = this.#options
    const next = this.#next
    try {
      const { resumeOffset, metadata: ofHandler } = handler.checkpoint()
      const bytes = Buffer.byteLength(ofHandler)
      if (bytes > maxMetadataBytes) {
        throw new Error(`its metadata has ${bytes} bytes, the maximum is ${maxMetadataBytes}`)
      }
      const offset = resumeOffset !== undefined && resumeOffset < next ? resumeOffset : next
      const metadata = formatMetadata({ next: this.#handledUntil, handler: ofHandler })
      return { topic, partition, offset, metadata }
    } catch (error) {
      const reason = messageOf(error)
      log.error({ topic, partition }, `checkpoint failed, keeping the committed offset: ${reason}`)
      return this.#committed ?? { topic, partition, offset: this.#options.start, metadata: '' }
    }
  }
}
