// A set of whole numbers that come nearly in order, kept as intervals: what is missing is what lies between them.
// Bounded: with too many intervals the oldest gaps are settled, and what comes for them later counts as there.

export interface Interval {
  readonly first: number
  readonly last: number
}

/** 4 MB of a set; beyond the disorder of the largest ring, whose records may each leave a gap until they are read. */
const defaultMaxIntervals = 1 << 18

export class NumberSet {
  readonly #firsts: number[] = []
  readonly #lasts: number[] = []
  readonly #maxIntervals: number
  readonly #onSettled: (gap: Interval) => void
  #size = 0

  /** @param onSettled told of each gap that is given up for want of room, oldest first */
  constructor(onSettled: (gap: Interval) => void = () => {}, maxIntervals = defaultMaxIntervals) {
    this.#onSettled = onSettled
    this.#maxIntervals = maxIntervals
  }

  /** Numbers in the set, those of settled gaps not counted. */
  get size(): number {
    return this.#size
  }

  get last(): number | undefined {
    return this.#lasts.at(-1)
  }

  /** @returns how many of first…last were not in the set */
  add(first: number, last: number = first): number {
    const end = this.#lasts.length - 1
    if (end >= 0 && first === (this.#lasts[end] as number) + 1) {
      this.#lasts[end] = last
      this.#size += last - first + 1
      return last - first + 1
    }
    // The intervals that touch first…last become one with it.
    const from = this.#indexOf(first - 1)
    let to = from
    let known = 0
    let low = first
    let high = last
    for (; to < this.#firsts.length && (this.#firsts[to] as number) <= last + 1; to++) {
      const [a, b] = [this.#firsts[to] as number, this.#lasts[to] as number]
      low = Math.min(low, a)
      high = Math.max(high, b)
      known += Math.max(0, Math.min(b, last) - Math.max(a, first) + 1)
    }
    this.#firsts.splice(from, to - from, low)
    this.#lasts.splice(from, to - from, high)
    const added = last - first + 1 - known
    this.#size += added
    if (this.#firsts.length > this.#maxIntervals) this.#settle()
    return added
  }

  /** How many of first…last are in the set. */
  countWithin(first: number, last: number): number {
    let count = 0
    for (let i = this.#indexOf(first); i < this.#firsts.length && (this.#firsts[i] as number) <= last; i++) {
      count += Math.min(this.#lasts[i] as number, last) - Math.max(this.#firsts[i] as number, first) + 1
    }
    return count
  }

  *intervals(): Generator<Interval> {
    for (let i = 0; i < this.#firsts.length; i++) {
      yield { first: this.#firsts[i] as number, last: this.#lasts[i] as number }
    }
  }

  /** The parts of this set that the other has not, in order. */
  *without(other: NumberSet): Generator<Interval> {
    for (const { first, last } of this.intervals()) {
      let next = first
      for (let i = other.#indexOf(first); i < other.#firsts.length && (other.#firsts[i] as number) <= last; i++) {
        const [a, b] = [other.#firsts[i] as number, other.#lasts[i] as number]
        if (a > next) yield { first: next, last: a - 1 }
        next = b + 1
      }
      if (next <= last) yield { first: next, last }
    }
  }

  /** Of the first interval that ends at `number` or later. */
  #indexOf(number: number): number {
    let low = 0
    let high = this.#lasts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#lasts[middle] as number) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  #settle(): void {
    const count = this.#maxIntervals >>> 1
    for (let i = 0; i < count; i++) {
      this.#onSettled({ first: (this.#lasts[i] as number) + 1, last: (this.#firsts[i + 1] as number) - 1 })
    }
    this.#firsts.splice(1, count)
    this.#lasts.splice(0, count)
  }
}
