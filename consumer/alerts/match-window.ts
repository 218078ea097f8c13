// The matches of one entity within a rule's window, at most as many as the threshold counts.

/** An event that met a rule's condition; all events with one value when the rule counts distinct values. */
export interface Match {
  /** CLOCK_MONOTONIC of the first event, microseconds. */
  readonly firstUs: number
  /** cpu and seq of the first event. */
  readonly cpu: number
  readonly seq: number
  /** Number of events. */
  events: number
  lastUs: number
}

export class MatchWindow {
  readonly #count: number
  readonly #windowUs: number
  /** By value, or by a running number when events are counted. The one seen longest ago is first. */
  readonly #matches = new Map<string | number, Match>()
  #nextNumber = 0
  #nowUs = Number.NEGATIVE_INFINITY

  constructor(count: number, windowUs: number) {
    this.#count = count
    this.#windowUs = windowUs
  }

  /** @param value the value to count; undefined to count events */
  add(timeUs: number, cpu: number, seq: number, value: string | undefined): void {
    this.#nowUs = Math.max(this.#nowUs, timeUs)
    this.#expire(this.#nowUs)
    const key = value ?? this.#nextNumber++
    const known = this.#matches.get(key)
    this.#matches.delete(key)
    if (known !== undefined) {
      known.events++
      known.lastUs = timeUs
    }
    this.#matches.set(key, known ?? { firstUs: timeUs, lastUs: timeUs, cpu, seq, events: 1 })
    if (this.#matches.size > this.#count) this.#matches.delete(this.#matches.keys().next().value as string | number)
  }

  get hasReachedThreshold(): boolean {
    return this.#matches.size >= this.#count
  }

  isEmptyAt(timeUs: number): boolean {
    return timeUs - this.#nowUs >= this.#windowUs
  }

  /** Earliest first. */
  all(): Match[] {
    return [...this.#matches.values()].sort((a, b) => a.firstUs - b.firstUs)
  }

  #expire(nowUs: number): void {
    for (const [key, { lastUs }] of this.#matches) {
      if (nowUs - lastUs < this.#windowUs) return
      this.#matches.delete(key)
    }
  }
}
