// The matches of one entity within a rule's window, at most as many as reach the threshold.

/** An event that met a rule's condition; all events with one value when the rule counts distinct values. */
export interface Match {
  /** CLOCK_MONOTONIC of the first event, microseconds. */
  readonly firstUs: number
  /** cpu and seq of the first event. */
  readonly cpu: number
  readonly seq: number
  /** Number of events, or the sum of the values that the rule adds up. */
  amount: number
  lastUs: number
}

export class MatchWindow {
  readonly #count: number
  readonly #windowUs: number
  /** By value, or by a running number when events are counted. The one seen longest ago is first. */
  readonly #matches = new Map<string | number, Match>()
  #nextNumber = 0
  #total = 0
  #nowUs = Number.NEGATIVE_INFINITY

  constructor(count: number, windowUs: number) {
    this.#count = count
    this.#windowUs = windowUs
  }

  /**
   * @param value the value to count; undefined to count events
   * @param amount what the event adds to the threshold's count; 1 with a value
   */
  add(timeUs: number, cpu: number, seq: number, value: string | undefined, amount = 1): void {
    this.#nowUs = Math.max(this.#nowUs, timeUs)
    this.#expire(this.#nowUs)
    const key = value ?? this.#nextNumber++
    const known = this.#matches.get(key)
    this.#matches.delete(key)
    if (known === undefined) {
      this.#total += amount
    } else {
      known.amount++
      known.lastUs = timeUs
    }
    this.#matches.set(key, known ?? { firstUs: timeUs, lastUs: timeUs, cpu, seq, amount })
    for (const [oldest, match] of this.#matches) {
      if (this.#total - this.#countOf(oldest, match) < this.#count) break
      this.#delete(oldest, match)
    }
  }

  get hasReachedThreshold(): boolean {
    return this.#total >= this.#count
  }

  isEmptyAt(timeUs: number): boolean {
    return timeUs - this.#nowUs >= this.#windowUs
  }

  /** Earliest first. */
  all(): Match[] {
    return [...this.#matches.values()].sort((a, b) => a.firstUs - b.firstUs)
  }

  #expire(nowUs: number): void {
    for (const [key, match] of this.#matches) {
      if (nowUs - match.lastUs < this.#windowUs) return
      this.#delete(key, match)
    }
  }

  /** A value counts once, whatever the number of its events. */
  #countOf(key: string | number, { amount }: Match): number {
    return typeof key === 'string' ? 1 : amount
  }

  #delete(key: string | number, match: Match): void {
    this.#matches.delete(key)
    this.#total -= this.#countOf(key, match)
  }
}
