// How far a consumer is behind, as the broker has it: asked every few seconds, whether anything is fetched or not. A
// consumer that gets nothing, or that hangs in a batch, falls behind here.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Consumer } from '../../wire/client.ts'

export interface Lag {
  readonly topic: string
  readonly partition: number
  /** Messages that the broker has and the consumer has not handled. */
  readonly records: number
  /** Age of the last handled message; 0 when no message waits. */
  readonly seconds: number
  /** Time without progress while messages wait, or since the assignment of a partition that has not started; else 0. */
  readonly stalledSeconds: number
}

/** What the loop knows of a partition. */
export interface Progress {
  /** The offset after the last handled message. */
  readonly next: bigint
  /** Kafka's timestamp of the last handled message; undefined before the first. */
  readonly handledMs: number | undefined
}

export interface LagWatchOptions {
  readonly consumer: Pick<Consumer, 'positions'>
  readonly progressOf: (topic: string, partition: number) => Progress | undefined
  readonly log: Log
  readonly everyMs?: number
  readonly now?: () => number
}

interface Watched {
  readonly topic: string
  readonly partition: number
  /** The position of the consumer, as of the last measurement. */
  fetched: bigint | undefined
  position: bigint | undefined
  endOffset: bigint
  /** When the position last moved, or nothing waited. */
  progressMs: number
}

/** One request to each broker that leads a partition. */
const defaultEveryMs = 5000

export class LagWatch {
  readonly #options: LagWatchOptions
  readonly #now: () => number
  readonly #stopping = new AbortController()
  #watched: Watched[] = []
  #failing: { readonly sinceMs: number; readonly message: string } | undefined

  constructor(options: LagWatchOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Measures until stop() is called. */
  async run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.measure()
      await delay(this.#options.everyMs ?? defaultEveryMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** Why the lag cannot be measured, and for how long that has been so; undefined when it can. */
  get failure(): { readonly seconds: number; readonly message: string } | undefined {
    if (this.#failing === undefined) return undefined
    return { seconds: (this.#now() - this.#failing.sinceMs) / 1000, message: this.#failing.message }
  }

  async measure(): Promise<void> {
    const { consumer, log } = this.#options
    try {
      const positions = await consumer.positions()
      const before = new Map(this.#watched.map((each) => [keyOf(each), each]))
      this.#watched = positions.map(({ position, ...each }) => {
        const known = before.get(keyOf(each))
        if (known === undefined) return { ...each, fetched: position, position, progressMs: this.#now() }
        known.fetched = position
        this.#update(known)
        known.endOffset = each.endOffset
        return known
      })
      this.#failing = undefined
    } catch (error) {
      this.#failing = { sinceMs: this.#failing?.sinceMs ?? this.#now(), message: messageOf(error) }
      log.debug(`cannot measure the lag: ${messageOf(error)}`)
    }
  }

  /** Takes over the positions of the loop; call it before a partition is revoked. */
  update(): void {
    for (const each of this.#watched) this.#update(each)
  }

  lags(): Lag[] {
    this.update()
    return this.#watched.map((each) => {
      const { topic, partition } = each
      const { position, endOffset, progressMs } = each
      const records = position === undefined ? 0 : Math.max(0, Number(endOffset - position))
      const isWaiting = records > 0 || position === undefined
      const secondsSince = (ms: number): number => (isWaiting ? Math.max(0, this.#now() - ms) / 1000 : 0)
      return {
        ...{ topic, partition, records },
        seconds: records > 0 ? secondsSince(this.#options.progressOf(topic, partition)?.handledMs ?? progressMs) : 0,
        stalledSeconds: secondsSince(progressMs)
      }
    })
  }

  /** Within a fetched batch the loop is ahead of the consumer; behind the last message's markers the consumer is. */
  #update(watched: Watched): void {
    const { topic, partition, fetched } = watched
    // A revoked partition stays where it was.
    const next = this.#options.progressOf(topic, partition)?.next ?? watched.position
    const position = next !== undefined && (fetched === undefined || next > fetched) ? next : fetched
    const wasAtEnd = watched.position !== undefined && watched.position >= watched.endOffset
    if (position !== watched.position || wasAtEnd) watched.progressMs = this.#now()
    watched.position = position
  }
}

const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`
