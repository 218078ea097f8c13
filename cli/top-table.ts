// Rollups of the last seconds → what `top` shows: calls and errors a second, latency percentiles
// and the share of time, by process and call, process, call or host. Pure.
import type { Rollup } from '../wire/types.ts'

export const groupings = ['process-call', 'process', 'call', 'host'] as const
export type Grouping = (typeof groupings)[number]

export const sortings = ['calls', 'errors', 'p50', 'p99', 'time'] as const
export type Sorting = (typeof sortings)[number]

export interface TopRow {
  readonly host: string
  /** Null where the group spans several. */
  readonly pid: number | null
  readonly comm: string | null
  readonly syscall: string | null
  readonly calls_per_second: number
  readonly errors_per_second: number
  /** Exact for a group of one rollup, else an estimate: see quantile(). */
  readonly p50_ns: number
  readonly p99_ns: number
  /** Of the time that all observed calls took, 0 to 1. */
  readonly time_share: number
}

const rollupKey = (rollup: Rollup): string =>
  JSON.stringify([
    rollup.host,
    rollup.workload,
    rollup.pid,
    rollup.start_us,
    rollup.comm,
    rollup.syscall,
    rollup.window_start
  ])

/**
 * Holds the highest revision of each window of one length, as far back as the table looks.
 */
export class RecentRollups {
  readonly #windowMs: number
  readonly #spanMs: number
  readonly #latest = new Map<string, Rollup>()
  #endUs = 0

  /** @param windowMs length of the windows taken; @param spanMs how far back the table looks, a multiple of it */
  constructor(windowMs: number, spanMs: number) {
    this.#windowMs = windowMs
    this.#spanMs = spanMs
  }

  add(rollup: Rollup): void {
    if (rollup.window_ms !== this.#windowMs) return
    const key = rollupKey(rollup)
    const held = this.#latest.get(key)
    if (held !== undefined && held.revision >= rollup.revision) return
    this.#latest.set(key, rollup)
    this.#endUs = Math.max(this.#endUs, rollup.window_start + this.#windowMs * 1000)
  }

  /** The end of the newest window, microseconds since the epoch; 0 before any. Event time, so recordings work alike. */
  get endUs(): number {
    return this.#endUs
  }

  /** Those in the span before `endUs`; forgets what is older. */
  current(): Rollup[] {
    const fromUs = this.#endUs - this.#spanMs * 1000
    for (const [key, rollup] of this.#latest) if (rollup.window_start < fromUs) this.#latest.delete(key)
    return [...this.#latest.values()]
  }
}

/** The share of a rollup's calls that took at most `ns`: straight lines between its percentiles. */
const shareWithin = (rollup: Rollup, ns: number): number => {
  let [fromNs, fromShare] = [0, 0]
  for (const [toNs, toShare] of [
    [rollup.p50_ns, 0.5],
    [rollup.p95_ns, 0.95],
    [rollup.p99_ns, 0.99],
    [rollup.max_ns, 1]
  ] as const) {
    if (ns < toNs) return fromShare + ((ns - fromNs) / (toNs - fromNs)) * (toShare - fromShare)
    fromNs = toNs
    fromShare = toShare
  }
  return 1
}

/** Halvings of the range that bring any duration below 2^53 to the nanosecond. */
const halvings = 53

/**
 * The duration that a share `q` of the calls does not exceed, in nanoseconds: exact for one rollup at
 * its own percentiles, an estimate between the percentiles of several.
 */
export const quantile = (rollups: readonly Rollup[], q: number): number => {
  const total = q * rollups.reduce((sum, rollup) => sum + rollup.count, 0)
  let low = 0
  let high = rollups.reduce((longest, rollup) => Math.max(longest, rollup.max_ns), 0)
  for (let step = 0; step < halvings && high - low > 0.5; step++) {
    const middle = (low + high) / 2
    const within = rollups.reduce((sum, rollup) => sum + rollup.count * shareWithin(rollup, middle), 0)
    if (within >= total) high = middle
    else low = middle
  }
  return Math.round(high)
}

const groupKey: Readonly<Record<Grouping, (rollup: Rollup) => readonly unknown[]>> = {
  'process-call': (rollup) => [rollup.host, rollup.pid, rollup.start_us, rollup.syscall],
  process: (rollup) => [rollup.host, rollup.pid, rollup.start_us],
  call: (rollup) => [rollup.syscall],
  host: (rollup) => [rollup.host]
}

const measure: Readonly<Record<Sorting, (row: TopRow) => number>> = {
  calls: (row) => row.calls_per_second,
  errors: (row) => row.errors_per_second,
  p50: (row) => row.p50_ns,
  p99: (row) => row.p99_ns,
  time: (row) => row.time_share
}

const sum = (rollups: readonly Rollup[], field: 'count' | 'errors' | 'total_ns'): number =>
  rollups.reduce((total, rollup) => total + rollup[field], 0)

/** Without the digits that only floating point makes. */
const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals))

/** One row a group, the largest first. Rates to a thousandth, shares to a millionth. */
export const topRows = (rollups: readonly Rollup[], spanMs: number, by: Grouping, sort: Sorting): TopRow[] => {
  const groups = Map.groupBy(rollups, (rollup) => JSON.stringify(groupKey[by](rollup)))
  const totalNs = sum(rollups, 'total_ns')
  const perSecond = (count: number): number => rounded((count * 1000) / spanMs, 3)
  const rows = [...groups.values()].map((members): TopRow => {
    const [first] = members as [Rollup]
    const ofProcess = by === 'process' || by === 'process-call'
    return {
      host: by === 'call' && members.some(({ host }) => host !== first.host) ? '*' : first.host,
      pid: ofProcess ? first.pid : null,
      comm: ofProcess ? first.comm : null,
      syscall: by === 'call' || by === 'process-call' ? first.syscall : null,
      calls_per_second: perSecond(sum(members, 'count')),
      errors_per_second: perSecond(sum(members, 'errors')),
      p50_ns: quantile(members, 0.5),
      p99_ns: quantile(members, 0.99),
      time_share: totalNs > 0 ? rounded(sum(members, 'total_ns') / totalNs, 6) : 0
    }
  })
  return rows.sort((a, b) => measure[sort](b) - measure[sort](a))
}
