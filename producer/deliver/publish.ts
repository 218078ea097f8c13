// Encoded batches to Kafka, in order, each until it is acknowledged. One send at a time is in flight:
// all batches of a host go to one partition, and a retry behind a later send would change their order.
// What Kafka does not take soon goes to the spool: all that is there is older than what waits in memory. A batch
// leaves memory once it is durable, acknowledged or on disk, always the oldest first.
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Producer } from '../../wire/client.ts'
import { eventBatchKey } from '../../wire/topics.ts'
import type { Spool } from './spool.ts'
import type { SpoolableBatch } from './spool-file.ts'

export interface EncodedBatch extends Omit<SpoolableBatch, 'sent'> {
  /** Called once it is durable; for one batch after the other, of several at once only for the last. */
  readonly onDurable: () => void
}

export interface PublishedBatch {
  /** That made it: this one, or one before it that left it in the spool. */
  readonly run: string
  readonly value: Buffer
  readonly byClass: readonly number[]
}

/** One on its way: it has a number while the spool holds it. */
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
  /** Where batches wait beyond memoryBytes, or for longer than two seconds; undefined: in memory only. */
  readonly spool?: Spool | undefined
  readonly memoryBytes?: number
  /** The share of a ring that waiting batches keep occupied, from 0 to 1: beyond a quarter the spool takes them. */
  readonly pressure?: () => number
  /** Makes a producer; asked again when one keeps failing. */
  readonly connect: () => Promise<Producer>
  readonly log: Log
  readonly onPublished: (batch: PublishedBatch) => void
}

/** Bytes of one send: below the broker's default limit of 1,048,588 for a record batch. */
export const maxSendBytes = 950_000

/** A broker that restarts is back within seconds; a second one more is not worth a busier loop. */
const firstRetryMs = 100
const maxRetryMs = 5_000
/** A client can get stuck for good while the cluster is well: after so many failures it is made anew. */
const failuresPerProducer = 5
/** A Kafka that is well takes a batch within milliseconds. */
const maxAgeMs = 2_000
const spoolEveryMs = 250
const maxPressure = 0.25
/** A transaction of so much takes 2 ms, and some 10 on a busy disk. */
const spoolBytes = 1 << 20
/** A client that waits for a dead broker's answer is left to itself. */
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
  readonly #spoolTimer: NodeJS.Timeout | undefined
  #waiting: Waiting[] = []
  #backlogBytes = 0
  #spooling = false
  #producer: Producer | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
    if (options.spool === undefined) return
    this.#spoolTimer = setInterval(() => this.#spoolIfDue(), spoolEveryMs).unref()
    if (options.spool.batches > 0) this.#wake()
  }

  /** Encoded bytes in memory that Kafka has not acknowledged. */
  get backlogBytes(): number {
    return this.#backlogBytes
  }

  /** Batches in memory that Kafka has not acknowledged. */
  get backlogBatches(): number {
    return this.#waiting.length
  }

  /** Whether anything waits, in memory or on disk. */
  get isBehind(): boolean {
    return this.#waiting.length > 0 || (this.#options.spool?.batches ?? 0) > 0
  }

  publish(batch: EncodedBatch): void {
    const { head, value } = batch
    const key = eventBatchKey(head)
    this.#waiting.push({ ...batch, run: head.run, key, id: undefined, sent: false, since: performance.now() })
    this.#backlogBytes += value.length
    if (this.hasGivenUp) this.#spoolOnce()
    else this.#wake()
    if (this.#isPressed) this.#spoolIfDue()
  }

  get hasGivenUp(): boolean {
    return this.#gaveUp.signal.aborted
  }

  /** Resolves when nothing waits any more; after giving up, once all is on disk that the disk takes. */
  async idle(): Promise<void> {
    await this.#queue.onIdle()
    if (!this.hasGivenUp) return
    while (this.#waiting.length > 0 && this.#spoolOnce() > 0) await setImmediate()
  }

  /** Ends all retrying; idle() then resolves. */
  giveUp(): void {
    this.#gaveUp.abort()
  }

  /**
   * Ends all sending: what waits goes to the spool.
   * @returns the batches that Kafka never acknowledged, and that no disk has
   */
  async close(): Promise<readonly PublishedBatch[]> {
    this.giveUp()
    clearInterval(this.#spoolTimer)
    await this.idle()
    await Promise.race([this.#dropProducer(), sleep(closeMs, undefined, { ref: false })])
    return this.#waiting
  }

  #wake(): void {
    // One that has yet to begin will find all that waits.
    if (this.#queue.size === 0) void this.#queue.add(() => this.#sendWaiting())
  }

  /** Sends the batches at the head of the line; several at once when the last send took long. */
  async #sendWaiting(): Promise<void> {
    const { topic, log } = this.#options
    for (let failures = 0; this.isBehind && !this.#gaveUp.signal.aborted; ) {
      // After a failure one batch goes alone: a broker with a lower limit may have refused the size.
      const group = this.#head(failures === 0 ? Infinity : 1)
      if (group.length === 0) continue
      try {
        const messages = group.map(({ key, value }) => ({ key, value }))
        await this.#unlessGivenUp(this.#send(topic, messages))
      } catch (error) {
        if (this.#gaveUp.signal.aborted) return
        failures++
        const retryMs = Math.min(maxRetryMs, firstRetryMs * 2 ** (failures - 1))
        const spooledBatches = this.#options.spool?.batches ?? 0
        const backlog = { backlogBatches: this.#waiting.length, backlogBytes: this.#backlogBytes, spooledBatches }
        const text = `cannot publish to ${topic}: ${messageOf(error)}; trying again in ${retryMs} ms`
        // The first failure and each long wait, not every step of the way there.
        if (failures === 1 || retryMs === maxRetryMs) log.warn({ failures, ...backlog }, text)
        if (failures % failuresPerProducer === 0) await this.#unlessGivenUp(this.#dropProducer()).catch(() => {})
        await sleep(retryMs, undefined, { signal: this.#gaveUp.signal }).catch(() => {})
        continue
      }
      if (failures > 0) log.info({ failures }, `publishing to ${topic} again`)
      failures = 0
      this.#acknowledged(group)
    }
  }

  async #send(topic: string, messages: { key: string; value: Buffer }[]): Promise<void> {
    if (this.#producer === undefined) {
      const producer = await this.#options.connect()
      if (this.#gaveUp.signal.aborted) return producer.close()
      this.#producer = producer
    }
    await this.#producer.send(topic, messages)
  }

  /** The batches from the oldest on that fit into one send. */
  #head(maxCount: number): Outgoing[] {
    const { spool } = this.#options
    if (spool !== undefined && spool.batches > 0) return spool.head(maxSendBytes, maxCount)
    const group = this.#waiting.slice(0, Math.min(maxCount, countWithin(this.#waiting, maxSendBytes)))
    for (const batch of group) batch.sent = true
    return group
  }

  #acknowledged(group: readonly Outgoing[]): void {
    this.#options.spool?.acknowledge(group.filter(isSpooled))
    this.#release(group.filter(({ id }) => id === undefined).length)
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

  /** Puts all on disk that waits now, in pieces between which others get their turn. */
  async #spoolAll(): Promise<void> {
    if (this.#spooling) return
    this.#spooling = true
    for (let left = this.#waiting.length; left > 0 && this.#waiting.length > 0 && !this.#gaveUp.signal.aborted; ) {
      const count = this.#spoolOnce()
      if (count === 0) break
      left -= count
      await setImmediate()
    }
    this.#spooling = false
  }

  /** @returns how many batches left the memory */
  #spoolOnce(): number {
    const { spool } = this.#options
    if (spool === undefined) return 0
    const batches = this.#waiting.slice(0, countWithin(this.#waiting, spoolBytes))
    const { count, lastId } = spool.add(batches)
    // A send that is in flight will find them on disk.
    batches.slice(0, count).forEach((batch, i) => {
      batch.id = lastId - count + 1 + i
    })
    this.#release(count)
    return count
  }

  /** The first ones are durable. */
  #release(count: number): void {
    const durable = this.#waiting.splice(0, count)
    for (const { value } of durable) this.#backlogBytes -= value.length
    durable.at(-1)?.onDurable()
  }

  async #dropProducer(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.close().catch((error: unknown) => this.#options.log.debug({ err: error }, 'closing the producer'))
  }

  /** A send that hangs must not keep the edge from stopping. */
  async #unlessGivenUp<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#gaveUp
    let giveUp = (): void => {}
    const gaveUp = new Promise<never>((_, reject) => {
      giveUp = () => reject(signal.reason)
    })
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      return await Promise.race([work, gaveUp])
    } finally {
      signal.removeEventListener('abort', giveUp)
      work.catch(() => {})
    }
  }
}
