// Memory that windows are lent for one batch, so that they look each cell up once in it: windows are many, those that a
// batch has calls of are few.

/** Values by small integers. */
export class Slots<Value> {
  readonly #values: (Value | undefined)[] = []
  readonly #set: number[] = []

  get(slot: number): Value | undefined {
    return this.#values[slot]
  }

  /** @param slot less than reset() was told */
  set(slot: number, value: Value): void {
    this.#values[slot] = value
    this.#set.push(slot)
  }

  /** None has a value any more, and there are at least so many. */
  reset(length: number): void {
    for (const slot of this.#set) this.#values[slot] = undefined
    this.#set.length = 0
    while (this.#values.length < length) this.#values.push(undefined)
  }
}

export class SlotPool<Value> {
  readonly #slots: Slots<Value>[] = []
  #length = 0
  #lent = 0

  /** Takes all back that was lent, for a batch that needs so many slots. */
  begin(length: number): void {
    for (let i = 0; i < this.#lent; i++) this.#slots[i]?.reset(0)
    this.#length = length
    this.#lent = 0
  }

  /** To keep until the next begin(). */
  lend(): Slots<Value> {
    const slots = this.#slots[this.#lent] ?? new Slots()
    this.#slots[this.#lent] = slots
    this.#lent++
    slots.reset(this.#length)
    return slots
  }
}
