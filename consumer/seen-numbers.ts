// Which of a sequence's numbers were seen: whole ranges of them. They come nearly in order, so that most only
// make the highest range longer. What had to be forgotten counts as not seen.

/** In the worst case, when every second number is missing, 64 KiB; typically there is one. */
const maxRanges = 4096
/** At once, so that it seldom has to be done. */
const forgottenRanges = maxRanges / 4

export class SeenNumbers {
  /** Ascending, below the highest range; none touches its neighbour. */
  #firsts: number[] = []
  #lasts: number[] = []
  /** The highest range. */
  #topFirst = Number.POSITIVE_INFINITY
  #top = Number.NEGATIVE_INFINITY

  /** The highest number seen; -Infinity before any. */
  get top(): number {
    return this.#top
  }

  has(number: number): boolean {
    if (number > this.#top) return false
    if (number >= this.#topFirst) return true
    const at = this.#rangesFrom(number) - 1
    return at >= 0 && number <= (this.#lasts[at] as number)
  }

  add(number: number): void {
    if (number === this.#top + 1) this.#top = number
    else if (number > this.#top) this.#beginTop(number)
    else if (number < this.#topFirst) this.#addBelow(number)
  }

  /** Forgets ranges that end before a number, but never the highest. */
  forgetBelow(number: number): void {
    const kept = this.#lasts.findIndex((last) => last >= number)
    const count = kept < 0 ? this.#lasts.length : kept
    this.#firsts.splice(0, count)
    this.#lasts.splice(0, count)
  }

  #beginTop(number: number): void {
    if (this.#topFirst <= this.#top) {
      this.#firsts.push(this.#topFirst)
      this.#lasts.push(this.#top)
      this.#keepBound()
    }
    this.#topFirst = number
    this.#top = number
  }

  #addBelow(number: number): void {
    const next = this.#rangesFrom(number)
    const before = next - 1
    if (before >= 0 && number <= (this.#lasts[before] as number)) return
    const follows = before >= 0 && this.#lasts[before] === number - 1
    const isLast = next === this.#firsts.length
    const precedes = (isLast ? this.#topFirst : this.#firsts[next]) === number + 1
    if (follows && precedes) {
      if (isLast) this.#topFirst = this.#firsts[before] as number
      else this.#lasts[before] = this.#lasts[next] as number
      const joined = isLast ? before : next
      this.#firsts.splice(joined, 1)
      this.#lasts.splice(joined, 1)
    } else if (follows) {
      this.#lasts[before] = number
    } else if (precedes) {
      if (isLast) this.#topFirst = number
      else this.#firsts[next] = number
    } else {
      this.#firsts.splice(next, 0, number)
      this.#lasts.splice(next, 0, number)
      this.#keepBound()
    }
  }

  #keepBound(): void {
    if (this.#firsts.length <= maxRanges) return
    this.#firsts.splice(0, forgottenRanges)
    this.#lasts.splice(0, forgottenRanges)
  }

  /** How many of the lower ranges begin at or below a number. */
  #rangesFrom(number: number): number {
    let low = 0
    let high = this.#firsts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#firsts[middle] as number) <= number) low = middle + 1
      else high = middle
    }
    return low
  }
}
