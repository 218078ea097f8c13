// Which of a sequence's numbers were seen: whole ranges of them. They come nearly in order, so that most only
// make the highest range longer. What had to be forgotten counts as not seen.

/** In the worst case, when every second number is missing, 64 KiB; typically there is one. */
const maxRanges = 4096
/** At once, so that it seldom has to be done. */
const forgottenRanges = maxRanges / 4

export class SeenNumbers {
  /** Ascending; none touches its neighbour. */
  readonly #firsts: number[] = []
  readonly #lasts: number[] = []

  /** The highest number seen; -Infinity before any. */
  get top(): number {
    return this.#lasts.at(-1) ?? Number.NEGATIVE_INFINITY
  }

  has(number: number): boolean {
    return this.hasAny(number, number)
  }

  /** Whether any number from `first` to `last` was seen. */
  hasAny(first: number, last: number): boolean {
    if (first > this.top) return false
    return last >= (this.#firsts[this.#rangeAt(first)] as number)
  }

  /** Every number from `first` to `last` is seen from now on. */
  add(first: number, last = first): void {
    const top = this.#lasts.length - 1
    if (first > this.top + 1) {
      this.#insert(top + 1, first, last)
    } else if (first === this.top + 1) {
      this.#lasts[top] = last
    } else {
      this.#addBelow(first, last)
    }
  }

  /** Forgets ranges that end before a number, but never the highest. */
  expireBelow(number: number): void {
    this.#forget(Math.min(this.#rangeAt(number), this.#lasts.length - 1))
  }

  #addBelow(first: number, last: number): void {
    const begin = this.#rangeAt(first - 1)
    let end = begin
    while (end < this.#firsts.length && (this.#firsts[end] as number) <= last + 1) end++
    if (begin === end) {
      this.#insert(begin, first, last)
      return
    }
    this.#firsts[begin] = Math.min(first, this.#firsts[begin] as number)
    this.#lasts[begin] = Math.max(last, this.#lasts[end - 1] as number)
    this.#firsts.splice(begin + 1, end - begin - 1)
    this.#lasts.splice(begin + 1, end - begin - 1)
  }

  #insert(at: number, first: number, last: number): void {
    this.#firsts.splice(at, 0, first)
    this.#lasts.splice(at, 0, last)
    if (this.#firsts.length > maxRanges) this.#forget(forgottenRanges)
  }

  #forget(ranges: number): void {
    if (ranges <= 0) return
    this.#firsts.splice(0, ranges)
    this.#lasts.splice(0, ranges)
  }

  /** The lowest range that ends at or above a number; their number when none does. */
  #rangeAt(number: number): number {
    let low = 0
    let high = this.#lasts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#lasts[middle] as number) < number) low = middle + 1
      else high = middle
    }
    return low
  }
}
