// When calls that the kernel counts become summaries: right after each second of the wall clock begins, and when all
// of them have been read. One summarize() at a time.
import { summaryCpu } from '../../bpf/event.ts'
import type { Source } from './source.ts'

const second = 1_000_000_000n

export class Summarizer {
  readonly #source: Source
  /** The second of the wall clock in which summarize() was last called. */
  #second: bigint
  #running: Promise<boolean> | undefined
  #failure: { readonly error: unknown } | undefined
  /** Seq of the last summary that runs before told. */
  readonly #summarizedBefore: number
  #countedUntilUs = -1

  constructor(source: Source) {
    this.#source = source
    this.#second = source.clock().wallNs / second
    this.#summarizedBefore = source.previous?.closed.find(({ cpu }) => cpu === summaryCpu)?.seq ?? 0
  }

  /**
   * To be called every few milliseconds: begins to summarize once in a second. A clock that steps begins another second.
   * @returns whether summaries are being made
   * @throws what summarize() failed with
   */
  tick(): boolean {
    if (this.#failure !== undefined) throw this.#failure.error
    const now = this.#source.clock().wallNs / second
    if (this.#running === undefined && now !== this.#second) {
      this.#second = now
      this.#begin().catch((error: unknown) => {
        this.#failure = { error }
      })
    }
    return this.#running !== undefined
  }

  /** Makes summaries of all that is counted until now. @returns false when there is nothing, or no room for them yet */
  async flush(): Promise<boolean> {
    await this.#running?.catch(() => {})
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#begin()
  }

  /**
   * CLOCK_MONOTONIC until which every counted call is in a summary that the encoder was given; -1 while nothing is
   * counted.
   * @param progress of the encoder: its highest seq by CPU
   */
  countedUntilUs({ highest }: { readonly highest: ArrayLike<number> }): number {
    const { countedUntilUs, sequences } = this.#source.statistics()
    const last = sequences.find(({ cpu }) => cpu === summaryCpu)?.last ?? 0
    const told = Math.max(highest[summaryCpu] ?? 0, this.#summarizedBefore)
    if (countedUntilUs !== undefined)
      this.#countedUntilUs = told >= last ? countedUntilUs : Math.max(0, this.#countedUntilUs)
    return this.#countedUntilUs
  }

  async #begin(): Promise<boolean> {
    this.#running = this.#source.summarize()
    try {
      return await this.#running
    } finally {
      this.#running = undefined
    }
  }
}
