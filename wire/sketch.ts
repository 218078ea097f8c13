// A distribution of durations: log-linear, 32 buckets to an octave, as in Rollup.latency and Summary.latency. Values and
// other distributions go in, in any order; quantiles within 1/64 (1.6%) of the true ones come out, and the buckets.
// Few values are kept one by one, many as 4 bytes a bucket.
import type { Bucket } from './types.ts'

/** Values kept one by one before buckets are counted: most rows of a window hold fewer. */
const inlineValues = 32
/** Values stay below 2^53, so there are 53 octaves. */
const lastIndex = 53 * 32 - 1
const most32 = 2 ** 32 - 1
/** Values below 1 have no bucket: they are held apart, and told with those of 1. */
const zero = -1
/** Shared: most sketches never count buckets, and an empty typed array takes 200 bytes. */
const noCounts: Uint32Array | Float64Array = new Uint32Array(0)

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const highWord = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0

// The exponent and the first five bits of the mantissa of a double are its octave and its 32nd of it.
const bias = 1023 * 32

/** The bucket of a value from 0 to 2^53; -1 for one below 1. Greater ones are in the last bucket. */
export const indexOf = (value: number): number => {
  if (value < 1) return zero
  double[0] = value
  return Math.min(((words[highWord] as number) >>> 15) - bias, lastIndex)
}

/** Where a bucket begins. */
const edgeOf = (index: number): number => {
  words[highWord] = (index + bias) << 15
  words[1 - highWord] = 0
  return double[0] as number
}

/** The lowest integer in a bucket. */
export const lowestOf = (index: number): number => (index < 0 ? 0 : Math.ceil(edgeOf(index)))

/** The highest integer in a bucket. */
export const highestOf = (index: number): number =>
  index < 0 ? 0 : Math.ceil(edgeOf(Math.min(index, lastIndex) + 1)) - 1

/** The integer that stands for a bucket, within 1/64 of every value in it: its middle, or its only integer. */
export const middleOf = (index: number): number => {
  if (index < 0) return 0
  const edge = edgeOf(index)
  return Math.ceil(edge + Math.floor((edgeOf(index + 1) - edge) / 2))
}

export class Sketch {
  #count = 0
  #zeros = 0
  /** Indexes of buckets, one a value; undefined when there are too many. */
  #inline: number[] | undefined = []
  /** Counts of the buckets from #first on, whole octaves; doubles once there are more values than 32 bits can tell. */
  #dense = noCounts
  #first = 0

  /** A sketch of what buckets() of others gave, as of several rows. */
  static of(...distributions: Iterable<Bucket>[]): Sketch {
    const sketch = new Sketch()
    for (const buckets of distributions) sketch.addBuckets(buckets)
    return sketch
  }

  /** How many values were recorded. */
  get count(): number {
    return this.#count
  }

  /** @param value 0 or more, at most 2^53; fractions are as good as their integer part */
  record(value: number): void {
    const index = indexOf(value)
    const at = index - this.#first
    // What nearly all values are: one more of a bucket that is there.
    if (at >= 0 && at < this.#dense.length && this.#count < most32) {
      this.#dense[at] = (this.#dense[at] as number) + 1
      this.#count++
    } else {
      this.recordAt(index, 1)
    }
  }

  /**
   * Records so many values of one bucket.
   * @param index below 0: values below 1; beyond the last bucket: values of the last
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

  /** Adds what another has recorded; that one stays as it is. */
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

  /** Those that are not empty, in their order; values below 1 are with those of 1. */
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
   * Nearest-rank quantiles: the smallest value that at least count × q values do not exceed.
   * @param qs ascending, each above 0 and at most 1
   * @returns one value each, within 1/64 of the true one; 0 when nothing was recorded
   */
  quantiles(qs: readonly number[]): number[] {
    if (this.#count === 0) return qs.map(() => 0)
    // Less a rounding error: 0.95 × 100 must be rank 95, not 96.
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

  /** In place: what is sorted for one question is for the next. */
  #sorted(inline: number[]): readonly number[] {
    return inline.sort((a, b) => a - b)
  }

  /** @param bucket one that is covered */
  #increase(bucket: number, count: number): void {
    if (bucket < 0) this.#zeros += count
    else this.#dense[bucket - this.#first] = (this.#dense[bucket - this.#first] as number) + count
  }

  /** Makes room to count the buckets from one to another, for as many values as there are by now. */
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
    const mustBeWide = isWide || this.#count > most32
    if (to - from === length && isWide === mustBeWide) return
    const wider = mustBeWide ? new Float64Array(to - from) : new Uint32Array(to - from)
    wider.set(this.#dense, length === 0 ? 0 : this.#first - from)
    this.#dense = wider
    this.#first = from
  }
}
