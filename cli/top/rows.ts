// Rows of windows → rows of `top`: calls, failures and bytes per second, latency percentiles and the share of time, by
// process and call, process, call, workload, container, Go function or host. Pure.
import { Sketch } from '../../wire/sketch.ts'
import type { Rollup, RollupKey } from '../../wire/types.ts'
import type { Part } from './recent.ts'

export const groupings = ['process-call', 'process', 'call', 'workload', 'container', 'go_function', 'host'] as const
export type Grouping = (typeof groupings)[number]

export const sortings = ['calls', 'failed', 'p50', 'p99', 'time', 'bytes'] as const
export type Sorting = (typeof sortings)[number]

/** An object of --format json. A field with several values in the group is null; several hosts are "*". */
export interface TopRow {
  readonly host: string
  readonly pid: number | null
  /** Name of one of the process's threads. */
  readonly comm: string | null
  readonly exe: string | null
  readonly workload: string | null
  readonly container_id: string | null
  readonly go_function: string | null
  readonly syscall: string | null
  readonly calls_per_second: number
  readonly failed_per_second: number
  /** Share of failed calls in the row's calls, 0 to 1. */
  readonly failed_share: number
  /** Errors that a healthy program meets in normal work, such as EAGAIN: no part of failed_share. */
  readonly expected_per_second: number
  readonly interrupted_per_second: number
  readonly bytes_per_second: number
  /** Within 1.6%, for any number of merged rollups. */
  readonly p50_ns: number
  readonly p99_ns: number
  /** Share of the time of all calls in the table, 0 to 1. */
  readonly time_share: number
}

interface GroupingRule {
  /** The kind of rollups that it sums. Each kind covers the same calls, so kinds must not be mixed. */
  readonly of: RollupKey
  key(rollup: Rollup): readonly unknown[]
  /** Fields with one value for all members. */
  readonly names: readonly ('pid' | 'comm' | 'exe' | 'workload' | 'container_id' | 'go_function' | 'syscall')[]
}

export const groupingRules: Readonly<Record<Grouping, GroupingRule>> = {
  'process-call': {
    of: 'process',
    key: (row) => [row.host, row.pid, row.start_us, row.exe, row.syscall],
    names: ['pid', 'comm', 'exe', 'workload', 'container_id', 'syscall']
  },
  process: {
    of: 'process',
    key: (row) => [row.host, row.pid, row.start_us, row.exe],
    names: ['pid', 'comm', 'exe', 'workload', 'container_id']
  },
  call: { of: 'workload', key: (row) => [row.syscall], names: ['syscall'] },
  workload: { of: 'workload', key: (row) => [row.workload], names: ['workload', 'container_id'] },
  container: { of: 'workload', key: (row) => [row.container_id], names: ['container_id'] },
  go_function: {
    of: 'go_function',
    key: (row) => [row.workload, row.go_function, row.syscall],
    names: ['workload', 'container_id', 'go_function', 'syscall']
  },
  host: { of: 'workload', key: (row) => [row.host], names: [] }
}

const measure: Readonly<Record<Sorting, (row: TopRow) => number>> = {
  calls: (row) => row.calls_per_second,
  failed: (row) => row.failed_per_second,
  p50: (row) => row.p50_ns,
  p99: (row) => row.p99_ns,
  time: (row) => row.time_share,
  bytes: (row) => row.bytes_per_second
}

type Summed = 'count' | 'failed' | 'expected' | 'interrupted' | 'bytes' | 'total_ns'

const perSecond = (parts: readonly Part[], field: Summed): number =>
  parts.reduce((sum, { rollup, seconds }) => sum + (seconds > 0 ? rollup[field] / seconds : 0), 0)

/** Removes the noise of floating point. */
const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals))

/** A connect that fails after its window has closed is counted in a later one, which may have fewer calls. */
const failedShare = (failed: number, calls: number): number =>
  failed === 0 ? 0 : rounded(Math.min(1, failed / calls), 6)

const percentiles = (parts: readonly Part[]): readonly [number, number] => {
  const sketch = new Sketch()
  for (const { rollup } of parts) sketch.addBuckets(rollup.latency)
  const [p50 = 0, p99 = 0] = sketch.quantiles([0.5, 0.99])
  // The middle of the highest bucket can be above the highest value.
  const max = parts.reduce((highest, { rollup }) => Math.max(highest, rollup.max_ns), 0)
  return [Math.min(p50, max), Math.min(p99, max)]
}

/**
 * One row for each group, in descending order of `sort`, then of calls. Rates are rounded to a thousandth, shares to a
 * millionth.
 * @param parts rows of the kind groupingRules[by].of
 */
export const topRows = (parts: readonly Part[], by: Grouping, sort: Sorting): TopRow[] => {
  const { key, names } = groupingRules[by]
  const groups = Map.groupBy(parts, ({ rollup }) => JSON.stringify(key(rollup)))
  const allNs = perSecond(parts, 'total_ns')
  const rows = [...groups.values()].map((members): TopRow => {
    const { rollup: last } = members.at(-1) as Part
    const calls = perSecond(members, 'count')
    const failed = perSecond(members, 'failed')
    const [p50_ns, p99_ns] = percentiles(members)
    const named = {
      pid: null,
      comm: null,
      exe: null,
      workload: null,
      container_id: null,
      go_function: null,
      syscall: null
    }
    return {
      host: members.some(({ rollup }) => rollup.host !== last.host) ? '*' : last.host,
      ...named,
      ...Object.fromEntries(names.map((name) => [name, last[name]])),
      calls_per_second: rounded(calls, 3),
      failed_per_second: rounded(failed, 3),
      failed_share: failedShare(failed, calls),
      expected_per_second: rounded(perSecond(members, 'expected'), 3),
      interrupted_per_second: rounded(perSecond(members, 'interrupted'), 3),
      bytes_per_second: rounded(perSecond(members, 'bytes'), 3),
      p50_ns,
      p99_ns,
      time_share: allNs > 0 ? rounded(perSecond(members, 'total_ns') / allNs, 6) : 0
    }
  })
  return rows.sort((a, b) => measure[sort](b) - measure[sort](a) || b.calls_per_second - a.calls_per_second)
}

/** Per second, of all rows together. */
export interface Totals {
  readonly calls: number
  readonly failed: number
  readonly expected: number
}

export const totals = (parts: readonly Part[]): Totals => ({
  calls: perSecond(parts, 'count'),
  failed: perSecond(parts, 'failed'),
  expected: perSecond(parts, 'expected')
})
