// Sums of a service's counters over its restarts, since each process counts from zero. Counts after the last report of a
// killed process are lost: `complete` is then false.

export type Counters = Readonly<Record<string, number>>

export class CounterSums {
  #ended: Record<string, number> = {}
  #current: Counters = {}
  #complete = true

  /** @param counters of the running process, since its start */
  report(counters: Counters): void {
    this.#current = counters
  }

  /** @param inOrder the last report of the process was its final one */
  endProcess(inOrder: boolean): void {
    this.#ended = { ...this.sums() }
    this.#current = {}
    this.#complete &&= inOrder
  }

  sums(): Counters {
    const sums = { ...this.#ended }
    for (const [name, value] of Object.entries(this.#current)) sums[name] = (sums[name] ?? 0) + value
    return sums
  }

  /** False after a process without a final report. */
  get complete(): boolean {
    return this.#complete
  }
}
