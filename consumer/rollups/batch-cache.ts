// Caches of window cells that are valid for one batch: a window looks up each cell about once a batch. Windows are many,
// but a batch has calls of few, so that the caches come from a pool. Their size is fixed.

/** A power of two. A batch of 1,000 events has some hundred cells. */
const size = 4096
const bits = Math.log2(size)

/** Values by small integers. Of two integers in the same place, the cache keeps the later value. */
export class BatchCache<Value> {
  readonly #keys = new Float64Array(size).fill(-1)
  readonly #values: (Value | undefined)[] = Array.from({ length: size }, () => undefined)
  #base = 0

  get(slot: number): Value | undefined {
    const place = placeOf(slot)
    return this.#keys[place] === this.#base + slot ? this.#values[place] : undefined
  }

  set(slot: number, value: Value): void {
    const place = placeOf(slot)
    this.#keys[place] = this.#base + slot
    this.#values[place] = value
  }

  /** Invalidates all values. @param base greater than every base + slot used before */
  begin(base: number): void {
    this.#base = base
  }
}

const placeOf = (slot: number): number => Math.imul(slot, 0x9e3779b1) >>> (32 - bits)

export class BatchCachePool<Value> {
  readonly #caches: BatchCache<Value>[] = []
  #base = 0
  #slots = 0
  #taken = 0

  /**
   * Begins a batch: caches taken for the batch before must no longer be used.
   * @param slots of the batch: its slots are 0 to slots - 1
   */
  begin(slots: number): void {
    this.#base += this.#slots
    this.#slots = slots
    this.#taken = 0
  }

  /** An empty cache, valid until the next begin(). */
  take(): BatchCache<Value> {
    const cache = this.#caches[this.#taken] ?? new BatchCache()
    this.#caches[this.#taken] = cache
    this.#taken++
    cache.begin(this.#base)
    return cache
  }
}
