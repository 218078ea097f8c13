// Publishes encoded batches to Kafka in order, one send at a time: all batches of a host go to one partition, and a
// retry after a later send would change their order. Batches that Kafka does not acknowledge soon move to the spool,
// the oldest first, so the batches in the spool are older than those in memory.
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Producer } from '../../wire/client.ts'
import { eventBatchKey } from '../../wire/topics.ts'
import { Sender } from './sender.ts'
import type { Spool } from './spool.ts'
import type { SpoolableBatch } from './spool-file.ts'

export interface EncodedBatch extends Omit<SpoolableBatch, 'sent'> {
  /** Called when the batch is durable, in order; when several become durable at once, only for the last. */
  readonly onDurable: () => void
}

export interface PublishedBatch {
  /** The run that encoded it: this one, or an earlier one that left it in the spool. */
  readonly run: string
  readonly value: Buffer
  readonly byClass: readonly number[]
}

/** A batch to send; it has an id while the spool holds it. */
interface Outgoing extends PublishedBatch {
  readonly key: string
  id: number | undefined
}

interface Waiting extends Outgoing, EncodedBatch {
  readonly since: number
  sent: boolean
}

export interface PublisherOptions {
  readonly topic: string
  /** Takes batches beyond memoryBytes, and those older than two seconds; undefined: they stay in memory. */
  readonly spool?: Spool | undefined
  readonly memoryBytes?: number
  /** The share of a ring that batches in memory occupy, from 0 to 1: beyond a quarter the spool takes them. */
  readonly pressure?: () => number
  /** Creates a producer; called again when one keeps failing. */
  readonly connect: () => Promise<Producer>
  readonly log: Log
  readonly onPublished: (batch: PublishedBatch) => void
}

/** Bytes of one send: below the broker's default limit of 1,048,588 for a record batch. */
export const maxSendBytes = 950_000

/** A broker that restarts is back within seconds; one second of delay is not worth a busier loop. */
const firstRetryMs = 100
const maxRetryMs = 5_000
const failuresPerProducer = 5
/** A healthy Kafka acknowledges a batch within milliseconds. */
const maxAgeMs = 2_000
const spoolEveryMs = 250
const maxPressure = 0.25
/** A transaction of this size takes 2 ms, and some 10 on a busy disk. */
const transactionBytes = 1 << 20
/** A client may wait for a dead broker's answer: then it is abandoned. */
const closeMs = 2_000

const isSpooled = <Batch extends Outgoing>(batch: Batch): batch is Batch & { id: number } => batch.id !== undefined

/** How many of the first batches have at most so many bytes; at least one. */
const countWithin = (batches: readonly PublishedBatch[], maxBytes: number): number => {
  let bytes = 0
  const end = batches.findIndex(({ value }, i) => {
    bytes += value.length
    return i > 0 && bytes > maxBytes
  })
  return end === -1 ? batches.length : end
}

export class Publisher {
  readonly #options: PublisherOptions
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #gaveUp = new AbortController()
  readonly #sender: Sender
  readonly #spoolTimer: NodeJS.Timeout | undefined
  #waiting: Waiting[] = []
  #backlogBytes = 0
  #spooling = false

  constructor(options: PublisherOptions) {
    const { topic, connect, log, spool } = options
    this.#options = options
    this.#sender = new Sender({ topic, connect, signal: this.#gaveUp.signal, log })
    if (spool === undefined) return
    this.#spoolTimer = setInterval(() => this.#spoolIfDue(), spoolEveryMs).unref()
    if (spool.batches > 0) this.#startSending()
  }

  /** Encoded bytes in memory that Kafka has not acknowledged. */
  get backlogBytes(): number {
    return this.#backlogBytes
  }

  /** Batches in memory that Kafka has not acknowledged. */
  get backlogBatches(): number {
    return this.#waiting.length
  }

  /** True when Kafka has not acknowledged every batch in memory and on disk. */
  get isBehind(): boolean {
    return this.#waiting.length > 0 || (this.#options.spool?.batches ?? 0) > 0
  }

  publish(batch: EncodedBatch): void {
    const { header, value } = batch
    const key = eventBatchKey(header)
    this.#waiting.push({ ...batch, run: header.run, key, id: undefined, sent: false, since: performance.now() })
    this.#backlogBytes += value.length
    if (this.hasGivenUp) this.#spoolSome()
    else this.#startSending()
    if (this.#isPressed) this.#spoolIfDue()
  }

  get hasGivenUp(): boolean {
    return this.#gaveUp.signal.aborted
  }

  /** Resolves when all batches are acknowledged; after giving up, when the spool has as many as it takes. */
  async idle(): Promise<void> {
    await this.#queue.onIdle()
    if (!this.hasGivenUp) return
    while (this.#waiting.length > 0 && this.#spoolSome() > 0) await setImmediate()
  }

  /** Stops sending and retrying; idle() then resolves. */
  giveUp(): void {
    this.#gaveUp.abort()
  }

  /**
   * Gives up, and moves the remaining batches to the spool.
   * @returns the batches that neither Kafka acknowledged nor the spool took
   */
  async close(): Promise<readonly PublishedBatch[]> {
    this.giveUp()
    clearInterval(this.#spoolTimer)
    await this.idle()
    await Promise.race([this.#sender.close(), sleep(closeMs, undefined, { ref: false })])
    return this.#waiting
  }

  #startSending(): void {
    // A task that has not started yet will send all waiting batches.
    if (this.#queue.size === 0) void this.#queue.add(() => this.#sendAll())
  }

  /** Sends the oldest batches until none waits; several at once when the last send took long. */
  async #sendAll(): Promise<void> {
    const { topic, log } = this.#options
    for (let failures = 0; this.isBehind && !this.hasGivenUp; ) {
      // After a failure one batch goes alone: a broker with a lower limit may have refused the size.
      const group = this.#oldest(failures === 0 ? Infinity : 1)
      if (group.length === 0) continue
      try {
        await this.#sender.send(group.map(({ key, value }) => ({ key, value })))
      } catch (error) {
        if (this.hasGivenUp) return
        failures++
        await this.#backOff(failures, error)
        continue
      }
      if (failures > 0) log.info({ failures }, `publishing to ${topic} again`)
      failures = 0
      this.#acknowledge(group)
    }
  }

  async #backOff(failures: number, error: unknown): Promise<void> {
    const { topic, log, spool } = this.#options
    const retryMs = Math.min(maxRetryMs, firstRetryMs * 2 ** (failures - 1))
    // Logs the first failure and those before a long wait, not the steps between.
    if (failures === 1 || retryMs === maxRetryMs) {
      const backlog = { backlogBatches: this.#waiting.length, backlogBytes: this.#backlogBytes }
      const fields = { failures, ...backlog, spooledBatches: spool?.batches ?? 0 }
      log.warn(fields, `cannot publish to ${topic}, retrying in ${retryMs} ms: ${messageOf(error)}`)
    }
    if (failures % failuresPerProducer === 0) await this.#sender.reset()
    await sleep(retryMs, undefined, { signal: this.#gaveUp.signal }).catch(() => {})
  }

  /** The oldest batches that fit into one send. */
  #oldest(maxCount: number): Outgoing[] {
    const { spool } = this.#options
    if (spool !== undefined && spool.batches > 0) return spool.oldest(maxSendBytes, maxCount)
    const group = this.#waiting.slice(0, Math.min(maxCount, countWithin(this.#waiting, maxSendBytes)))
    for (const batch of group) batch.sent = true
    return group
  }

  #acknowledge(group: readonly Outgoing[]): void {
    this.#options.spool?.acknowledge(group.filter(isSpooled))
    this.#removeDurable(group.filter(({ id }) => id === undefined).length)
    for (const batch of group) this.#options.onPublished(batch)
  }

  #spoolIfDue(): void {
    const oldest = this.#waiting[0]
    if (oldest === undefined) this.#options.spool?.tidy()
    else if (this.#isPressed || performance.now() - oldest.since >= maxAgeMs) void this.#spoolAll()
  }

  get #isPressed(): boolean {
    const { memoryBytes = Infinity, pressure } = this.#options
    return this.#backlogBytes > memoryBytes || (pressure?.() ?? 0) > maxPressure
  }

  /** Moves the batches that wait now to the spool, in transactions between which the event loop runs. */
  async #spoolAll(): Promise<void> {
    if (this.#spooling) return
    this.#spooling = true
    for (let left = this.#waiting.length; left > 0 && this.#waiting.length > 0 && !this.hasGivenUp; ) {
      const count = this.#spoolSome()
      if (count === 0) break
      left -= count
      await setImmediate()
    }
    this.#spooling = false
  }

  /** @returns how many batches moved to the spool */
  #spoolSome(): number {
    const { spool } = this.#options
    if (spool === undefined) return 0
    const batches = this.#waiting.slice(0, countWithin(this.#waiting, transactionBytes))
    const { count, lastId } = spool.add(batches)
    // A send in flight acknowledges them by their ids.
    batches.slice(0, count).forEach((batch, i) => {
      batch.id = lastId - count + 1 + i
    })
    this.#removeDurable(count)
    return count
  }

  /** Removes the first batches, which are durable now, from memory. */
  #removeDurable(count: number): void {
    const durable = this.#waiting.splice(0, count)
    for (const { value } of durable) this.#backlogBytes -= value.length
    durable.at(-1)?.onDurable()
  }
}
