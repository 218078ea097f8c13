// A row of a window: what its calls sum up to, and how often it was told.
import { callNames } from '../../wire/columns.ts'
import type { Process, Rollup, RollupKey } from '../../wire/types.ts'
import { type Key, others } from './key.ts'
import { Tally } from './tally.ts'

const quantiles = [0.5, 0.9, 0.95, 0.99, 0.999]
/** avsc writes no greater long. A hundred threads that slept for a month and are woken together took longer. */
const longest = 2 ** 53 - 2

/** Of a window: microseconds since the epoch. */
export interface Span {
  readonly startUs: number
  readonly endUs: number
  readonly isClosed: boolean
}

export class Row {
  readonly by: RollupKey
  readonly key: Key
  readonly isOther: boolean
  /** Of its first call; undefined for the keys beyond the bound. */
  readonly #process: Process | undefined
  #tally = new Tally()
  revision = 0
  /** Holds calls that were not told yet. */
  changed = false
  /** Of its calls, what the rates have. */
  rated = 0
  rateEwma = 0

  constructor(by: RollupKey, key: Key, process: Process | undefined) {
    this.by = by
    this.key = key
    this.isOther = process === undefined
    this.#process = process
  }

  get count(): number {
    return this.#tally.count
  }

  merge(part: Tally): void {
    this.#tally.merge(part)
  }

  /** As merge(), of a part that nobody else adds to or merges from afterwards. */
  take(part: Tally): void {
    if (this.#tally.count === 0) this.#tally = part
    else this.#tally.merge(part)
  }

  /** As it is now, in the window that it lies in. */
  rollup(host: string, { startUs, endUs, isClosed }: Span): Rollup {
    const { key, by } = this
    const windowMs = (endUs - startUs) / 1000
    const process = this.#process
    const { count, errors, bytes, totalNs, maxNs, durations } = this.#tally
    const most = Math.min(maxNs, longest)
    const [p50 = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0] = durations.quantiles(quantiles)
    const containerId = process?.container_id ?? null
    return {
      host,
      workload: key.workload,
      pid: key.pid,
      start_us: key.startUs,
      comm: process?.comm ?? others,
      // A container has more than one.
      exe: by === 'process' || containerId === null ? (process?.exe ?? null) : null,
      container_id: containerId,
      syscall: callNames.nameOf(key.code),
      window_start: startUs,
      window_ms: windowMs,
      revision: this.revision,
      count,
      errors,
      bytes: Math.min(bytes, longest),
      total_ns: Math.min(totalNs, longest),
      // The middle of the highest bucket may lie above the highest value.
      p50_ns: Math.min(p50, most),
      p95_ns: Math.min(p95, most),
      p99_ns: Math.min(p99, most),
      max_ns: most,
      by,
      go_function: key.goFunction,
      other: this.isOther,
      complete: isClosed,
      rate: count / (windowMs / 1000),
      rate_ewma: this.rateEwma,
      p90_ns: Math.min(p90, most),
      p999_ns: Math.min(p999, most),
      latency: durations.buckets(),
      errnos: this.#tally.errnos()
    }
  }
}
