// Calls a second by key, weighed exponentially: calls of each shortest window go in, in the order in which these close, and
// the rate up to a window comes out. What came late counts as if it had come in time.
import { type Key, KeyTable } from './key.ts'

const timeConstantUs = 10_000_000
/** After it e^-7 of a rate is left: a key without calls is forgotten, and older calls need not be known. */
export const rateMemoryUs = 7 * timeConstantUs

const leftAfter = (us: number): number => Math.exp(-us / timeConstantUs)

interface Rate {
  readonly key: Key
  value: number
  /** When it was so: the end of the newest window that has calls of the key, microseconds since the epoch. */
  atUs: number
}

export class Rates {
  readonly #table = new KeyTable<Rate>()
  readonly #maxKeys: number
  /** Of one call in a window, to the rate at its end. */
  readonly #gain: number
  #lookedUs = Number.NEGATIVE_INFINITY

  /**
   * @param windowUs length of the shortest windows
   * @param maxKeys of more keys the rate begins anew in each window
   */
  constructor(windowUs: number, maxKeys: number) {
    this.#maxKeys = maxKeys
    this.#gain = (1 - leftAfter(windowUs)) / (windowUs / 1e6)
  }

  /** What calls in a window add to the rate at a later time. */
  gainOf(calls: number, endUs: number, atUs: number): number {
    return calls * this.#gain * leftAfter(atUs - endUs)
  }

  /** The rate of a key at a time, of all calls that were added; as of the newest where that is later. */
  at(key: Key, atUs: number): number {
    const rate = this.#table.find(key)
    return rate === undefined ? 0 : rate.value * leftAfter(Math.max(0, atUs - rate.atUs))
  }

  /**
   * Adds the calls of a window.
   * @returns at() its end, with them
   */
  add(key: Key, calls: number, endUs: number): number {
    const gain = this.gainOf(calls, endUs, endUs)
    const rate = this.#table.find(key) ?? this.#create(key, endUs)
    if (rate === undefined) return gain
    if (endUs > rate.atUs) {
      rate.value *= leftAfter(endUs - rate.atUs)
      rate.atUs = endUs
    }
    const before = rate.value
    rate.value += this.gainOf(calls, endUs, rate.atUs)
    return before + gain
  }

  /** Lets go of keys of which nothing was heard for so long that nothing is left; looks at them now and then. */
  forget(nowUs: number): void {
    if (nowUs - this.#lookedUs < timeConstantUs) return
    this.#lookedUs = nowUs
    this.#table.keepOnly(({ atUs }) => nowUs - atUs <= rateMemoryUs)
  }

  #create(key: Key, atUs: number): Rate | undefined {
    return this.#table.entries.length < this.#maxKeys ? this.#table.add({ key, value: 0, atUs }) : undefined
  }
}
