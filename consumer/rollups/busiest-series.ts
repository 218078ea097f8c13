// A bounded table with the series of the busiest (host, workload, call). Once a minute of event time, keys without a
// series replace those that are far less busy.
import type { Rollup } from '../../wire/types.ts'
import { type CallSeries, createCallSeries } from './call-series.ts'

const periodUs = 60_000_000
/** A key replaces one with less than half its calls; with a smaller factor two keys would replace each other for ever. */
const minFactor = 2
/** For each series, keys whose calls are counted to find the busiest. */
const candidatesPerSeries = 10

type Identity = Pick<Rollup, 'host' | 'workload' | 'syscall'>

interface Activity {
  readonly identity: Identity
  calls: number
}

const createSeries = ({ host, workload, syscall }: Identity): CallSeries => createCallSeries(host, workload, syscall)

export class BusiestSeries {
  readonly #maxSeries: number
  readonly #series = new Map<string, CallSeries>()
  /** Calls in this period by key, with or without a series. */
  #activity = new Map<string, Activity>()
  #periodStartUs = Number.NEGATIVE_INFINITY

  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries
  }

  static keyOf(host: string, workload: string, call: string): string {
    return `${host}\n${workload}\n${call}`
  }

  values(): Iterable<CallSeries> {
    return this.#series.values()
  }

  find(key: string): CallSeries | undefined {
    return this.#series.get(key)
  }

  /** Begins a new period, and chooses the busiest of the last, when a minute is over. */
  advance(nowUs: number): void {
    if (nowUs < this.#periodStartUs + periodUs) return
    this.#periodStartUs = nowUs
    if (this.#series.size >= this.#maxSeries) this.#replaceIdle()
    this.#activity = new Map()
  }

  /**
   * Counts calls of a key in this period.
   * @returns its series; undefined when there is no room for one
   */
  count(key: string, identity: Identity, calls: number): CallSeries | undefined {
    this.#countActivity(key, identity, calls)
    const known = this.#series.get(key)
    if (known !== undefined || this.#series.size >= this.#maxSeries) return known
    const series = createSeries(identity)
    this.#series.set(key, series)
    return series
  }

  #countActivity(key: string, { host, workload, syscall }: Identity, calls: number): void {
    const known = this.#activity.get(key)
    if (known !== undefined) known.calls += calls
    else if (this.#activity.size < candidatesPerSeries * this.#maxSeries) {
      this.#activity.set(key, { identity: { host, workload, syscall }, calls })
    }
  }

  /** An evicted series that returns later begins at 0, as after a restart. */
  #replaceIdle(): void {
    const callsOf = (key: string): number => this.#activity.get(key)?.calls ?? 0
    const idlest = [...this.#series.keys()].sort((a, b) => callsOf(a) - callsOf(b))
    const busiest = [...this.#activity].filter(([key]) => !this.#series.has(key))
    busiest.sort(([, a], [, b]) => b.calls - a.calls)
    for (const [i, key] of idlest.entries()) {
      const [newKey, candidate] = busiest[i] ?? []
      if (newKey === undefined || candidate === undefined) return
      if (candidate.calls < minFactor * Math.max(1, callsOf(key))) return
      this.#series.delete(key)
      this.#series.set(newKey, createSeries(candidate.identity))
    }
  }
}
