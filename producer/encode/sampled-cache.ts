// A bounded map that forgets what was used least recently, closely enough: exact recency would cost a
// delete and an insert on every look-up, and there is one for every event.

export interface Used {
  /** Raised by whoever looks the value up: any number that grows with time. */
  lastUsed: number
}

/** How many of the longest-held entries an eviction chooses from. */
const sampleSize = 8

export class SampledCache<K, V extends Used> {
  readonly #entries = new Map<K, V>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    if (this.#entries.size >= this.#capacity && !this.#entries.has(key)) this.#evict()
    this.#entries.set(key, value)
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }

  /** Drops the least recently used of a sample; the others of it go to the end of the line. */
  #evict(): void {
    const sample: [K, V][] = []
    for (const entry of this.#entries) {
      sample.push(entry)
      if (sample.length === sampleSize) break
    }
    const oldest = sample.reduce((a, b) => (b[1].lastUsed < a[1].lastUsed ? b : a))
    for (const [key, value] of sample) {
      this.#entries.delete(key)
      if (key !== oldest[0]) this.#entries.set(key, value)
    }
  }
}
