// Decides when the kernel's counts become summaries: as each second of the wall clock begins, and at the end. One
// summarize() at a time.
import { summaryCpu } from '../../bpf/event.ts'
import type { LimitedCalls, Source } from './source.ts'

const second = 1_000_000_000n

export class Summarizer {
  readonly #source: Source
  readonly #onLimited: (rows: readonly LimitedCalls[]) => void
  /** Second of the wall clock in which tick() last called summarize(). */
  #second: bigint
  #running: Promise<boolean> | undefined
  #failure: { readonly error: unknown } | undefined
  /** Seq of the last summary that the previous edge published. */
  readonly #previousSeq: number
  #countedUntilUs = -1

  /** @param onLimited takes the processes with limited calls of each second's summaries */
  constructor(source: Source, onLimited: (rows: readonly LimitedCalls[]) => void = () => {}) {
    this.#source = source
    this.#onLimited = onLimited
    this.#second = source.clock().wallNs / second
    this.#previousSeq = source.previous?.closed.find(({ cpu }) => cpu === summaryCpu)?.seq ?? 0
  }

  /**
   * Starts summarize() once per second, and when the wall clock steps; call it every few milliseconds.
   * @returns true while summarize() runs
   * @throws the error of a failed summarize()
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

  /**
   * Summarizes all calls counted so far.
   * @returns false when no call was counted, or the last summaries are not released yet
   * @throws the error of a failed summarize()
   */
  async flush(): Promise<boolean> {
    await this.#running?.catch(() => {})
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#begin()
  }

  /**
   * CLOCK_MONOTONIC up to which the encoder has a summary of every counted call; -1 while no call is counted.
   * @param progress the encoder's highest seq by CPU
   */
  countedUntilUs({ highest }: { readonly highest: ArrayLike<number> }): number {
    const { countedUntilUs, sequences } = this.#source.statistics()
    const last = sequences.find(({ cpu }) => cpu === summaryCpu)?.last ?? 0
    const encoded = Math.max(highest[summaryCpu] ?? 0, this.#previousSeq)
    if (countedUntilUs !== undefined) {
      this.#countedUntilUs = encoded >= last ? countedUntilUs : Math.max(0, this.#countedUntilUs)
    }
    return this.#countedUntilUs
  }

  async #begin(): Promise<boolean> {
    this.#running = this.#source.summarize()
    try {
      const made = await this.#running
      if (made) this.#onLimited(this.#source.limited?.() ?? [])
      return made
    } finally {
      this.#running = undefined
    }
  }
}
