// Set of whole numbers, kept as intervals. Made for sequence numbers, which arrive nearly in order: most additions extend
// the highest interval. Bounded: past `maxIntervals` the lowest quarter is evicted, or its gaps are filled.

export interface Interval {
  readonly first: number
  readonly last: number
}

export interface NumberSetOptions {
  readonly maxIntervals: number
  /** evict: the lowest numbers leave the set. fill: the lowest gaps join it. */
  readonly whenFull: 'evict' | 'fill'
  /** Called with each filled gap, lowest first. */
  readonly onFill?: (gap: Interval) => void
}

export class NumberSet {
  /** Ascending; two neighbours never touch. */
  readonly #firsts: number[] = []
  readonly #lasts: number[] = []
  readonly #options: NumberSetOptions

  constructor(options: NumberSetOptions) {
    this.#options = options
  }

  /** The highest number. */
  get last(): number | undefined {
    return this.#lasts.at(-1)
  }

  has(number: number): boolean {
    return this.hasAny(number, number)
  }

  /** True when a number from `first` to `last` is in the set. */
  hasAny(first: number, last: number): boolean {
    const top = this.#lasts.length - 1
    if (top < 0 || first > (this.#lasts[top] as number)) return false
    return last >= (this.#firsts[this.#indexOf(first)] as number)
  }

  /**
   * Adds every number from `first` to `last`.
   * @returns how many of them were missing
   */
  add(first: number, last: number = first): number {
    const top = this.#lasts.length - 1
    const next = top < 0 ? Number.NEGATIVE_INFINITY : (this.#lasts[top] as number) + 1
    if (first < next) return this.#merge(first, last)
    if (first === next) this.#lasts[top] = last
    else this.#insert(top + 1, first, last)
    return last - first + 1
  }

  /** How many numbers from `first` to `last` are in the set. */
  countWithin(first: number, last: number): number {
    let count = 0
    for (let i = this.#indexOf(first); i < this.#firsts.length && (this.#firsts[i] as number) <= last; i++) {
      count += Math.min(this.#lasts[i] as number, last) - Math.max(this.#firsts[i] as number, first) + 1
    }
    return count
  }

  /** In ascending order. */
  *intervals(): Generator<Interval> {
    for (let i = 0; i < this.#firsts.length; i++) {
      yield { first: this.#firsts[i] as number, last: this.#lasts[i] as number }
    }
  }

  /** The numbers that the other set lacks, as intervals in ascending order. */
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

  /** Removes the intervals that end below `number`, except the highest one. */
  expireBelow(number: number): void {
    this.#evict(Math.min(this.#indexOf(number), this.#lasts.length - 1))
  }

  /** Makes one interval of `first` to `last` and all intervals that touch it. */
  #merge(first: number, last: number): number {
    const begin = this.#indexOf(first - 1)
    let end = begin
    let known = 0
    for (; end < this.#firsts.length && (this.#firsts[end] as number) <= last + 1; end++) {
      const overlap = Math.min(this.#lasts[end] as number, last) - Math.max(this.#firsts[end] as number, first) + 1
      known += Math.max(0, overlap)
    }
    if (begin === end) {
      this.#insert(begin, first, last)
      return last - first + 1
    }
    this.#firsts[begin] = Math.min(first, this.#firsts[begin] as number)
    this.#lasts[begin] = Math.max(last, this.#lasts[end - 1] as number)
    this.#firsts.splice(begin + 1, end - begin - 1)
    this.#lasts.splice(begin + 1, end - begin - 1)
    return last - first + 1 - known
  }

  #insert(at: number, first: number, last: number): void {
    this.#firsts.splice(at, 0, first)
    this.#lasts.splice(at, 0, last)
    const { maxIntervals, whenFull } = this.#options
    if (this.#firsts.length <= maxIntervals) return
    const quarter = Math.ceil(maxIntervals / 4)
    if (whenFull === 'evict') this.#evict(quarter)
    else this.#fill(quarter)
  }

  #evict(intervals: number): void {
    if (intervals <= 0) return
    this.#firsts.splice(0, intervals)
    this.#lasts.splice(0, intervals)
  }

  #fill(gaps: number): void {
    const { onFill } = this.#options
    for (let i = 0; i < gaps; i++) {
      onFill?.({ first: (this.#lasts[i] as number) + 1, last: (this.#firsts[i + 1] as number) - 1 })
    }
    this.#firsts.splice(1, gaps)
    this.#lasts.splice(0, gaps)
  }

  /** Index of the lowest interval that ends at `number` or above; the number of intervals when none does. */
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
}
