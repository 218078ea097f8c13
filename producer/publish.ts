// Encoded batches to Kafka, in order, each until it is acknowledged. One send at a time is in flight:
// all batches of a host go to one partition, and a retry behind a later send would change their order.
import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import { messageOf } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Producer } from '../wire/client.ts'

export interface EncodedBatch {
  readonly value: Buffer
  /** Events in it by enum ringside_class. */
  readonly byClass: readonly number[]
}

export interface PublisherOptions {
  readonly topic: string
  readonly key: string
  /** Makes a producer; asked again when one keeps failing. */
  readonly connect: () => Promise<Producer>
  readonly log: Log
  readonly onPublished: (batch: EncodedBatch) => void
}

/** Bytes of one send: below the broker's default limit of 1,048,588 for a record batch. */
export const maxSendBytes = 950_000

/** A broker that restarts is back within seconds; a second one more is not worth a busier loop. */
const firstRetryMs = 100
const maxRetryMs = 5_000
/** A client can get stuck for good while the cluster is well: after so many failures it is made anew. */
const failuresPerProducer = 5
/** A client that waits for a dead broker's answer is left to itself. */
const closeMs = 2_000

export class Publisher {
  readonly #options: PublisherOptions
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #gaveUp = new AbortController()
  #waiting: EncodedBatch[] = []
  #backlogBytes = 0
  #producer: Producer | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** Encoded bytes that Kafka has not acknowledged. */
  get backlogBytes(): number {
    return this.#backlogBytes
  }

  /** Batches that Kafka has not acknowledged. */
  get backlogBatches(): number {
    return this.#waiting.length
  }

  publish(batch: EncodedBatch): void {
    this.#waiting.push(batch)
    this.#backlogBytes += batch.value.length
    void this.#queue.add(() => this.#sendWaiting())
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#queue.onIdle()
  }

  /** Ends all retrying; idle() then resolves. */
  giveUp(): void {
    this.#gaveUp.abort()
  }

  /** Closes the client. @returns the batches that were never acknowledged */
  async close(): Promise<EncodedBatch[]> {
    this.giveUp()
    await Promise.race([this.#dropProducer(), sleep(closeMs, undefined, { ref: false })])
    return this.#waiting
  }

  /** Sends the batches at the head of the line; several at once when the last send took long. */
  async #sendWaiting(): Promise<void> {
    const { topic, key, log } = this.#options
    for (let failures = 0; this.#waiting.length > 0 && !this.#gaveUp.signal.aborted; ) {
      // After a failure one batch goes alone: a broker with a lower limit may have refused the size.
      const group = failures === 0 ? this.#head() : this.#waiting.slice(0, 1)
      try {
        const messages = group.map(({ value }) => ({ key, value }))
        await this.#unlessGivenUp(this.#send(topic, messages))
      } catch (error) {
        if (this.#gaveUp.signal.aborted) return
        failures++
        const retryMs = Math.min(maxRetryMs, firstRetryMs * 2 ** (failures - 1))
        const backlog = { backlogBatches: this.#waiting.length, backlogBytes: this.#backlogBytes }
        const text = `cannot publish to ${topic}: ${messageOf(error)}; trying again in ${retryMs} ms`
        // The first failure and each long wait, not every step of the way there.
        if (failures === 1 || retryMs === maxRetryMs) log.warn({ failures, ...backlog }, text)
        if (failures % failuresPerProducer === 0) await this.#unlessGivenUp(this.#dropProducer()).catch(() => {})
        await sleep(retryMs, undefined, { signal: this.#gaveUp.signal }).catch(() => {})
        continue
      }
      if (failures > 0) log.info({ failures }, `publishing to ${topic} again`)
      this.#acknowledged(group)
      return
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
  #head(): EncodedBatch[] {
    let bytes = 0
    const end = this.#waiting.findIndex(({ value }, i) => {
      bytes += value.length
      return i > 0 && bytes > maxSendBytes
    })
    return end === -1 ? this.#waiting.slice() : this.#waiting.slice(0, end)
  }

  #acknowledged(group: readonly EncodedBatch[]): void {
    this.#waiting.splice(0, group.length)
    for (const batch of group) {
      this.#backlogBytes -= batch.value.length
      this.#options.onPublished(batch)
    }
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
