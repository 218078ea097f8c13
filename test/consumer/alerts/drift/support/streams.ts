// Synthetic streams of calls: what a workload's latencies and rates may look like, window by window, from a seed.
import { Sketch } from '../../../../../wire/sketch.ts'
import type { Bucket } from '../../../../../wire/types.ts'

/** A generator of numbers from 0 to 1 that gives the same ones for the same seed (mulberry32). */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export class Chance {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = randomFrom(seed)
  }

  uniform(): number {
    return this.#random()
  }

  /** Of mean 0 and deviation 1. */
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

/** One window of a stream: the number of the window in, calls and their latencies out. */
export type Stream = (window: number) => StreamWindow

export interface StreamShape {
  /** Calls a window, on average. */
  readonly rate: (window: number) => number
  /** Median of the durations, nanoseconds. */
  readonly median: (window: number) => number
  /** Deviation of the durations' logarithm. */
  readonly spread?: number
  /** Deviation of the logarithm of what all durations of a window have in common, and of its rate. */
  readonly jitter?: number
  /** How much of a window's jitter the next one has. */
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
