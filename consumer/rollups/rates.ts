// Exponentially weighted rates by key, in calls a second: calls of each shortest window in, in the order in which the
// windows close; the rate at a window's end out. Late calls count as if they had arrived in time.
import type { Key } from './key.ts'
import { KeyTable } from './key-table.ts'

const timeConstantUs = 10_000_000
/** After this time e^-7 (0.1%) of a rate is left: idle keys expire, and a restart needs no older calls. */
export const rateMemoryUs = 7 * timeConstantUs

const decayAfter = (us: number): number => Math.exp(-us / timeConstantUs)

interface Rate {
  readonly key: Key
  /** At `atUs`. */
  value: number
  /** End of the newest window with calls of the key, microseconds since the epoch. */
  atUs: number
}

export class Rates {
  readonly #table = new KeyTable<Rate>()
  readonly #maxKeys: number
  /** Rate at the end of a window with one call. */
  readonly #gain: number
  #expiredUs = Number.NEGATIVE_INFINITY

  /**
   * @param windowUs length of the shortest windows
   * @param maxKeys keys with a rate; keys beyond it have a rate of their last window alone
   */
  constructor(windowUs: number, maxKeys: number) {
    this.#maxKeys = maxKeys
    this.#gain = (1 - decayAfter(windowUs)) / (windowUs / 1e6)
  }

  /** The rate at `atUs` that calls of a window contribute. */
  gainOf(calls: number, endUs: number, atUs: number): number {
    return calls * this.#gain * decayAfter(atUs - endUs)
  }

  /** The rate of a key at a time; at the end of its newest window when that is later. */
  at(key: Key, atUs: number): number {
    const rate = this.#table.find(key)
    return rate === undefined ? 0 : rate.value * decayAfter(Math.max(0, atUs - rate.atUs))
  }

  /**
   * Adds calls of a window.
   * @returns the rate at the window's end, with these calls
   */
  add(key: Key, calls: number, endUs: number): number {
    const gain = this.gainOf(calls, endUs, endUs)
    const rate = this.#table.find(key) ?? this.#create(key, endUs)
    if (rate === undefined) return gain
    if (endUs > rate.atUs) {
      rate.value *= decayAfter(endUs - rate.atUs)
      rate.atUs = endUs
    }
    const before = rate.value
    rate.value += this.gainOf(calls, endUs, rate.atUs)
    return before + gain
  }

  /** Expires idle keys, at most once in a time constant. */
  expire(nowUs: number): void {
    if (nowUs - this.#expiredUs < timeConstantUs) return
    this.#expiredUs = nowUs
    this.#table.keepOnly(({ atUs }) => nowUs - atUs <= rateMemoryUs)
  }

  #create(key: Key, atUs: number): Rate | undefined {
    return this.#table.entries.length < this.#maxKeys ? this.#table.add({ key, value: 0, atUs }) : undefined
  }
}
