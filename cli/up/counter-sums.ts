// Counters of a service across its incarnations: each process counts from zero, people want the
// sum. What a killed process counted after its last report is not in it; `complete` says whether
// that can have happened.

export type Counters = Readonly<Record<string, number>>

export class CounterSums {
  #before: Record<string, number> = {}
  #current: Counters = {}
  #complete = true

  /** The running process's cumulative counters. */
  report(counters: Counters): void {
    this.#current = counters
  }

  /** The process is gone; `inOrder` when its last report was its final one. */
  endIncarnation(inOrder: boolean): void {
    this.#before = { ...this.sums() }
    this.#current = {}
    this.#complete &&= inOrder
  }

  sums(): Counters {
    const sums = { ...this.#before }
    for (const [name, value] of Object.entries(this.#current)) sums[name] = (sums[name] ?? 0) + value
    return sums
  }

  /** False once a process ended without a final report. */
  get complete(): boolean {
    return this.#complete
  }
}
