// A row of a window: the tally of its calls, and its revision.
import { bounded, maxLong } from '../../wire/bounded.ts'
import { callNames } from '../../wire/columns.ts'
import type { Process, Rollup, RollupKey } from '../../wire/types.ts'
import { type Key, otherName } from './key.ts'
import { Tally } from './tally.ts'

const quantiles = [0.5, 0.9, 0.95, 0.99, 0.999]
const boundedCounts = <Part extends { readonly count: number }>(parts: Part[], total: number): Part[] =>
  total <= maxLong ? parts : parts.map((part) => ({ ...part, count: bounded(part.count) }))

/** A window of event time, microseconds since the epoch. */
export interface Span {
  readonly startUs: number
  readonly endUs: number
  readonly isClosed: boolean
}

export class Row {
  readonly by: RollupKey
  readonly key: Key
  /** True for the row of all keys beyond the bound. */
  readonly isOther: boolean
  /** The process of the first call; undefined for the keys beyond the bound. */
  readonly #process: Process | undefined
  #tally: Tally | undefined
  revision = 0
  /** True when the row has calls that no published revision has. */
  isChanged = false
  /** Calls that the rates include. */
  ratedCalls = 0
  rateEwma = 0

  constructor(by: RollupKey, key: Key, process: Process | undefined) {
    this.by = by
    this.key = key
    this.isOther = process === undefined
    this.#process = process
  }

  get count(): number {
    return this.#tally?.count ?? 0
  }

  merge(part: Tally): void {
    this.#tally ??= new Tally()
    this.#tally.merge(part)
  }

  /** As merge(), but the row owns the part afterwards. */
  take(part: Tally): void {
    if (this.#tally === undefined) this.#tally = part
    else this.#tally.merge(part)
  }

  /** The record to publish, with the row's current revision. */
  rollup(host: string, { startUs, endUs, isClosed }: Span): Rollup {
    const { key, by } = this
    const windowMs = (endUs - startUs) / 1000
    const process = this.#process
    const tally = this.#tally ?? new Tally()
    const { count, failed, expected, interrupted, bytes, totalNs, maxNs, durations } = tally
    const longestNs = bounded(maxNs)
    const [p50 = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0] = durations.quantiles(quantiles)
    const containerId = process?.container_id ?? null
    return {
      host,
      workload: key.workload,
      pid: key.pid,
      start_us: key.startUs,
      comm: process?.comm ?? otherName,
      // A container runs more than one executable.
      exe: by === 'process' || containerId === null ? (process?.exe ?? null) : null,
      container_id: containerId,
      syscall: callNames.nameOf(key.code),
      window_start: startUs,
      window_ms: windowMs,
      revision: this.revision,
      ...{ count: bounded(count), failed: bounded(failed) },
      ...{ expected: bounded(expected), interrupted: bounded(interrupted) },
      bytes: bounded(bytes),
      total_ns: bounded(totalNs),
      // A quantile is the middle of its bucket, which may be above the longest duration.
      p50_ns: Math.min(p50, longestNs),
      p95_ns: Math.min(p95, longestNs),
      p99_ns: Math.min(p99, longestNs),
      max_ns: longestNs,
      by,
      go_function: key.goFunction,
      other: this.isOther,
      complete: isClosed,
      rate: count / (windowMs / 1000),
      rate_ewma: this.rateEwma,
      p90_ns: Math.min(p90, longestNs),
      p999_ns: Math.min(p999, longestNs),
      latency: boundedCounts(durations.buckets(), durations.count),
      errnos: boundedCounts(tally.errnos(), failed + expected + interrupted)
    }
  }
}
