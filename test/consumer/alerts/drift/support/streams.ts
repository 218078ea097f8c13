// Synthetic streams of calls of one workload: number and latencies by window, reproducible from a seed.
import { Sketch } from '../../../../../wire/sketch.ts'
import type { Bucket } from '../../../../../wire/types.ts'
import { random } from '../../../support/random.ts'

export class Chance {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = random(seed)
  }

  uniform(): number {
    return this.#random()
  }

  /** Standard normal. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
  }

  poisson(mean: number): number {
    if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()))
    const limit = Math.exp(-mean)
    let count = 0
    for (let product = this.#random(); product > limit; product *= this.#random()) count++
    return count
  }
}

export interface StreamWindow {
  readonly count: number
  readonly latency: Bucket[]
}

/** The calls of a window by its number. */
export type Stream = (window: number) => StreamWindow

export interface StreamShape {
  /** Mean number of calls in a window. */
  readonly rate: (window: number) => number
  /** Median duration, nanoseconds. */
  readonly median: (window: number) => number
  /** Standard deviation of the logarithm of durations. */
  readonly spread?: number
  /** Standard deviation of the logarithm of a factor that all durations of a window share, and of one for its rate. */
  readonly jitter?: number
  /** Correlation of that factor in two consecutive windows. */
  readonly memory?: number
  /** Share of calls that take `slowFactor` times as long. */
  readonly slowShare?: (window: number) => number
  readonly slowFactor?: number
}

export const streamOf = (shape: StreamShape, seed: number): Stream => {
  const { rate, median, spread = 0.6, jitter = 0, memory = 0, slowShare = () => 0, slowFactor = 20 } = shape
  const chance = new Chance(seed)
  let [common, commonRate] = [0, 0]
  const next = (value: number): number => memory * value + Math.sqrt(1 - memory ** 2) * jitter * chance.normal()
  return (window) => {
    common = next(common)
    commonRate = next(commonRate)
    const count = chance.poisson(rate(window) * Math.exp(commonRate))
    const sketch = new Sketch()
    for (let i = 0; i < count; i++) {
      const slow = chance.uniform() < slowShare(window) ? slowFactor : 1
      sketch.record(median(window) * slow * Math.exp(common + spread * chance.normal()))
    }
    return { count, latency: sketch.buckets() }
  }
}
