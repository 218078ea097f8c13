// A distribution of values in log-linear buckets. Values and other distributions in, in any order; buckets, and quantiles
// within 1.6% of the true ones, out. A few values are kept one by one, many as 4 bytes a bucket.
import { indexOf, lastIndex, middleOf } from './log-linear.ts'
import type { Bucket } from './types.ts'

/** Values kept one by one before buckets are allocated: most rows of a window have fewer. */
const inlineValues = 32
const maxUint32 = 2 ** 32 - 1
/** Index of values below 1, which have no bucket: counted apart, and reported in bucket 0. */
const zero = -1
/** Shared: most sketches allocate no buckets, and an empty typed array takes 200 bytes. */
const noCounts: Uint32Array | Float64Array = new Uint32Array(0)

export class Sketch {
  #count = 0
  #zeros = 0
  /** The bucket of each value; undefined once there are more than inlineValues. */
  #inline: number[] | undefined = []
  /** Counts of the buckets from #first on, whole octaves; doubles once the total exceeds 32 bits. */
  #dense = noCounts
  #first = 0

  /** Merges the buckets of several rows. */
  static of(...distributions: Iterable<Bucket>[]): Sketch {
    const sketch = new Sketch()
    for (const buckets of distributions) sketch.addBuckets(buckets)
    return sketch
  }

  /** Number of recorded values. */
  get count(): number {
    return this.#count
  }

  /** @param value from 0 to 2^53; a fraction counts as its integer part */
  record(value: number): void {
    const index = indexOf(value)
    const at = index - this.#first
    // Nearly all values fall into an allocated bucket.
    if (at >= 0 && at < this.#dense.length && this.#count < maxUint32) {
      this.#dense[at] = (this.#dense[at] as number) + 1
      this.#count++
    } else {
      this.recordAt(index, 1)
    }
  }

  /**
   * Records `count` values of one bucket.
   * @param index below 0 for values below 1; beyond the last bucket it counts as the last
   */
  recordAt(index: number, count: number): void {
    this.#count += count
    const bucket = Math.min(index, lastIndex)
    if (this.#inline !== undefined && this.#inline.length + count <= inlineValues) {
      for (let i = 0; i < count; i++) this.#inline.push(bucket)
      return
    }
    this.#cover(bucket, bucket)
    this.#increase(bucket, count)
  }

  addBuckets(buckets: Iterable<Bucket>): void {
    for (const { index, count } of buckets) this.recordAt(index, count)
  }

  /** Adds the values of another sketch, which stays unchanged. */
  merge(other: Sketch): void {
    if (other.#inline !== undefined) {
      for (const bucket of other.#inline) this.recordAt(bucket, 1)
      return
    }
    this.#count += other.#count
    this.#zeros += other.#zeros
    const { length } = other.#dense
    this.#cover(other.#first, other.#first + length - 1)
    const from = other.#first - this.#first
    for (let i = 0; i < length; i++) {
      this.#dense[from + i] = (this.#dense[from + i] as number) + (other.#dense[i] as number)
    }
  }

  /** The non-empty buckets in ascending order. Bucket 0 also counts the values below 1. */
  buckets(): Bucket[] {
    const buckets: Bucket[] = []
    if (this.#inline !== undefined) {
      for (const bucket of this.#sorted(this.#inline)) {
        const index = Math.max(0, bucket)
        const last = buckets.at(-1)
        if (last?.index === index) last.count++
        else buckets.push({ index, count: 1 })
      }
      return buckets
    }
    for (let i = 0; i < this.#dense.length; i++) {
      const index = this.#first + i
      const count = (this.#dense[i] as number) + (index === 0 ? this.#zeros : 0)
      if (count > 0) buckets.push({ index, count })
    }
    if (this.#zeros > 0 && this.#first > 0) buckets.unshift({ index: 0, count: this.#zeros })
    return buckets
  }

  /**
   * Nearest-rank quantiles: the smallest value that at least count × q of the values do not exceed.
   * @param qs ascending, each above 0 and at most 1
   * @returns one value for each, within 1/64 of the true one; 0 when no value was recorded
   */
  quantiles(qs: readonly number[]): number[] {
    if (this.#count === 0) return qs.map(() => 0)
    // Minus a rounding error: 0.95 × 100 must be rank 95, not 96.
    const ranks = qs.map((q) => Math.max(1, Math.ceil(q * this.#count - 1e-9 * this.#count)))
    if (this.#inline !== undefined) {
      const sorted = this.#sorted(this.#inline)
      return ranks.map((rank) => middleOf(sorted[rank - 1] as number))
    }
    const found: number[] = []
    let next = ranks[0] as number
    let seen = 0
    const { length } = this.#dense
    for (let i = -1; i < length && found.length < ranks.length; i++) {
      seen += i < 0 ? this.#zeros : (this.#dense[i] as number)
      while (seen >= next) {
        found.push(middleOf(i < 0 ? zero : this.#first + i))
        next = ranks[found.length] ?? Number.POSITIVE_INFINITY
      }
    }
    return found
  }

  /** Sorts in place, so that the next call finds the values sorted. */
  #sorted(inline: number[]): readonly number[] {
    return inline.sort((a, b) => a - b)
  }

  /** @param bucket within the allocated range */
  #increase(bucket: number, count: number): void {
    if (bucket < 0) this.#zeros += count
    else this.#dense[bucket - this.#first] = (this.#dense[bucket - this.#first] as number) + count
  }

  /** Allocates counts for the buckets from `lowest` to `highest`, wide enough for the current total. */
  #cover(lowest: number, highest: number): void {
    let [from, to] = [lowest, highest]
    const inline = this.#inline ?? []
    for (const bucket of inline) {
      from = Math.min(from, bucket)
      to = Math.max(to, bucket)
    }
    this.#inline = undefined
    this.#widen(Math.max(0, from) & ~31, (Math.max(0, to) | 31) + 1)
    for (const bucket of inline) this.#increase(bucket, 1)
  }

  #widen(lowest: number, end: number): void {
    const { length } = this.#dense
    const from = length === 0 ? lowest : Math.min(lowest, this.#first)
    const to = length === 0 ? end : Math.max(end, this.#first + length)
    const isWide = this.#dense instanceof Float64Array
    const mustBeWide = isWide || this.#count > maxUint32
    if (to - from === length && isWide === mustBeWide) return
    const wider = mustBeWide ? new Float64Array(to - from) : new Uint32Array(to - from)
    wider.set(this.#dense, length === 0 ? 0 : this.#first - from)
    this.#dense = wider
    this.#first = from
  }
}
