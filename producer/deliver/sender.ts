// Sends messages to a topic through a Kafka producer, which it creates for the first send and replaces on reset().
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Producer } from '../../wire/client.ts'

export interface SenderOptions {
  readonly topic: string
  readonly connect: () => Promise<Producer>
  /** Makes pending and later sends reject, even if the client hangs. */
  readonly signal: AbortSignal
  readonly log: Log
}

export class Sender {
  readonly #options: SenderOptions
  #producer: Producer | undefined

  constructor(options: SenderOptions) {
    this.#options = options
  }

  send(messages: { key: string; value: Buffer }[]): Promise<void> {
    return this.#unlessAborted(this.#send(messages))
  }

  /** Closes the producer: a client can get stuck for good while the cluster is well. */
  reset(): Promise<void> {
    return this.#unlessAborted(this.close()).catch(() => {})
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.close().catch((error: unknown) => {
      this.#options.log.debug(`cannot close the producer: ${messageOf(error)}`)
    })
  }

  async #send(messages: { key: string; value: Buffer }[]): Promise<void> {
    const { topic, connect, signal } = this.#options
    if (this.#producer === undefined) {
      const producer = await connect()
      if (signal.aborted) return producer.close()
      this.#producer = producer
    }
    await this.#producer.send(topic, messages)
  }

  async #unlessAborted<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#options
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([work, aborted])
    } finally {
      signal.removeEventListener('abort', abort)
      work.catch(() => {})
    }
  }
}
