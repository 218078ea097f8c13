// What windows are lent for one batch, so that they look each cell up about once in it: windows are many, those that a
// batch has calls of are few. Its size is fixed, however many processes and calls a batch has.

/** A power of two. A thousand events are of some hundred cells. */
const size = 4096
const bits = Math.log2(size)

/** Values by small integers: those of the last batch alone, and of two that share a place the later one. */
export class Slots<Value> {
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

  /** @param base greater than any base and slot before, together */
  begin(base: number): void {
    this.#base = base
  }
}

const placeOf = (slot: number): number => Math.imul(slot, 0x9e3779b1) >>> (32 - bits)

export class SlotPool<Value> {
  readonly #slots: Slots<Value>[] = []
  #base = 0
  #length = 0
  #lent = 0

  /**
   * Takes all back that was lent.
   * @param length of the batch to come: its slots are less than that
   */
  begin(length: number): void {
    this.#base += this.#length
    this.#length = length
    this.#lent = 0
  }

  /** To keep until the next begin(). */
  lend(): Slots<Value> {
    const slots = this.#slots[this.#lent] ?? new Slots()
    this.#slots[this.#lent] = slots
    this.#lent++
    slots.begin(this.#base)
    return slots
  }
}
