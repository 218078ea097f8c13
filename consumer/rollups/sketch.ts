// The distribution of durations in one row: log-linear buckets, 32 to an octave. A value goes in, a
// quantile within 1/64 (1.6%) of the true one comes out. Few values are kept one by one, many as 4 bytes a bucket.

/** Values kept one by one before buckets are counted: most rows of a window hold fewer. */
const inlineValues = 32
/** Durations stay below 2^53, so there are 53 octaves; bucket 0 holds 0. */
const bucketCount = 53 * 32 + 1
/** Shared: most sketches never count buckets, and an empty typed array takes 200 bytes. */
const noCounts = new Uint32Array(0)

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const highWord = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0

// The exponent and the first five bits of the mantissa of a double are its octave and its 32nd of it.
// The bias is that of exponent 0, less 1 for the bucket of 0.
const bias = 1023 * 32 - 1

/** The bucket of a value from 0 to 2^53. */
export const bucketOf = (value: number): number => {
  if (value < 1) return 0
  double[0] = value
  return Math.min(((words[highWord] as number) >>> 15) - bias, bucketCount - 1)
}

/** The bucket of an index of a summary's histogram, which has no place for 0. */
export const bucketOfIndex = (index: number): number => Math.min(Math.max(0, index) + 1, bucketCount - 1)

/** Where a bucket begins; not that of 0. */
const lowOf = (bucket: number): number => {
  words[highWord] = (bucket + bias) << 15
  words[1 - highWord] = 0
  return double[0] as number
}

/** The integer that stands for a bucket: its middle, or its only integer. */
export const bucketValue = (bucket: number): number => {
  if (bucket === 0) return 0
  const low = lowOf(bucket)
  return Math.ceil(low + Math.floor((lowOf(bucket + 1) - low) / 2))
}

/** The highest integer in a bucket. */
export const bucketTop = (bucket: number): number => (bucket === 0 ? 0 : Math.ceil(lowOf(bucket + 1)) - 1)

export class Sketch {
  #count = 0
  #inline: number[] | undefined = []
  /** Counts of the buckets from #first on, whole octaves; a bucket holds up to 2^32 − 1. */
  #dense = noCounts
  #first = 0

  get count(): number {
    return this.#count
  }

  /** @param value 0 or more; fractions are as good as their integer part */
  record(value: number): void {
    this.recordBucket(bucketOf(value), 1)
  }

  /** Records so many values of one bucket. */
  recordBucket(bucket: number, count: number): void {
    const inline = this.#inline
    if (inline === undefined) {
      this.#increase(bucket, count)
    } else if (inline.length + count <= inlineValues) {
      for (let i = 0; i < count; i++) inline.push(bucket)
    } else {
      this.#inline = undefined
      for (const earlier of inline) this.#increase(earlier, 1)
      this.#increase(bucket, count)
    }
    this.#count += count
  }

  /**
   * Nearest-rank quantiles: the smallest value that at least count × q values do not exceed.
   * @param qs ascending, each above 0 and at most 1
   * @returns one value each; 0 when nothing was recorded
   */
  quantiles(qs: readonly number[]): number[] {
    if (this.#count === 0) return qs.map(() => 0)
    // Less a rounding error: 0.95 × 100 must be rank 95, not 96.
    const ranks = qs.map((q) => Math.max(1, Math.ceil(q * this.#count - 1e-9 * this.#count)))
    if (this.#inline !== undefined) {
      const sorted = this.#inline.toSorted((a, b) => a - b)
      return ranks.map((rank) => bucketValue(sorted[rank - 1] as number))
    }
    const found: number[] = []
    let seen = 0
    for (let i = 0; i < this.#dense.length && found.length < ranks.length; i++) {
      seen += this.#dense[i] as number
      while (found.length < ranks.length && seen >= (ranks[found.length] as number)) {
        found.push(bucketValue(this.#first + i))
      }
    }
    return found
  }

  #increase(bucket: number, count: number): void {
    let at = bucket - this.#first
    if (at < 0 || at >= this.#dense.length) {
      this.#cover(bucket)
      at = bucket - this.#first
    }
    this.#dense[at] = (this.#dense[at] as number) + count
  }

  #cover(bucket: number): void {
    const octave = bucket & ~31
    const from = this.#dense.length === 0 ? octave : Math.min(octave, this.#first)
    const to = Math.max(octave + 32, this.#first + this.#dense.length)
    const wider = new Uint32Array(to - from)
    wider.set(this.#dense, this.#dense.length === 0 ? 0 : this.#first - from)
    this.#dense = wider
    this.#first = from
  }
}
