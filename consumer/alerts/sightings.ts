// The frequency threshold of one entity: what a rule's condition held for goes in, and stays for the
// window. At most as many are kept as the threshold counts.

export interface Sighting {
  /** CLOCK_MONOTONIC, microseconds; of the first event of its value, when values are counted. */
  readonly firstUs: number
  readonly cpu: number
  readonly seq: number
  /** Events of its value; 1 when events are counted. */
  events: number
  lastUs: number
}

export class Sightings {
  readonly #count: number
  readonly #windowUs: number
  /** By value, or by a running number when events are counted; the one seen longest ago is first. */
  readonly #held = new Map<string | number, Sighting>()
  #number = 0
  #nowUs = Number.NEGATIVE_INFINITY

  constructor(count: number, windowUs: number) {
    this.#count = count
    this.#windowUs = windowUs
  }

  /** @param value what is counted; undefined counts the event itself */
  add(timeUs: number, cpu: number, seq: number, value: string | undefined): void {
    this.#nowUs = Math.max(this.#nowUs, timeUs)
    this.#forget(this.#nowUs)
    const key = value ?? this.#number++
    const known = this.#held.get(key)
    this.#held.delete(key)
    if (known !== undefined) {
      known.events++
      known.lastUs = timeUs
    }
    this.#held.set(key, known ?? { firstUs: timeUs, lastUs: timeUs, cpu, seq, events: 1 })
    if (this.#held.size > this.#count) this.#held.delete(this.#held.keys().next().value as string | number)
  }

  get isReached(): boolean {
    return this.#held.size >= this.#count
  }

  isEmptyAt(timeUs: number): boolean {
    return timeUs - this.#nowUs >= this.#windowUs
  }

  /** What is held, the earliest first. */
  all(): Sighting[] {
    return [...this.#held.values()].sort((a, b) => a.firstUs - b.firstUs)
  }

  #forget(nowUs: number): void {
    for (const [key, { lastUs }] of this.#held) {
      if (nowUs - lastUs < this.#windowUs) return
      this.#held.delete(key)
    }
  }
}
