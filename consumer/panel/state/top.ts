// The busiest processes, workloads, Go functions or calls of the last seconds. Pure.
import type { Filter, TopBy, TopRow } from '../protocol.ts'
import { Distribution } from './distribution.ts'
import { type Cell, matches, type Series, sumOf, type Window, type Windows } from './windows.ts'

const maxRows = 100
/** Ends with each host's newest closed window. */
const spanOfHostMs = 10_000
/** A host that lags further behind the others is left out. */
const maxBehindMs = 60_000

const keyOf: Readonly<Record<TopBy, (series: Series) => readonly unknown[]>> = {
  process: ({ host, workload, pid, startUs }) => [host, workload, pid, startUs],
  workload: ({ host, workload }) => [host, workload],
  go_function: ({ host, workload, goFunction }) => [host, workload, goFunction],
  call: ({ call }) => [call]
}

interface Group {
  readonly first: Series
  readonly cells: Cell[]
  calls: number
  hasSeveralHosts: boolean
  hasSeveralWorkloads: boolean
}

/** End of each host's newest closed window, milliseconds since the epoch. */
const endsByHost = (windows: readonly Window[], windowMs: number): Map<string, number> => {
  const ends = new Map<string, number>()
  for (const { startMs, cells } of windows) {
    for (const [{ host }, { complete }] of cells) if (complete) ends.set(host, startMs + windowMs)
  }
  return ends
}

/** The rows of the last windows by group, and the time that they span. */
const groupsOf = (windows: Windows, by: TopBy, filter: Filter): { groups: Group[]; spanMs: number } => {
  const recent = windows.last(maxBehindMs)
  const ends = endsByHost(recent, windows.windowMs)
  const groups = new Map<Series, Group>()
  const byKey = new Map<string, Group>()
  let spanMs = windows.windowMs
  for (const { startMs, cells } of recent) {
    for (const [series, cell] of cells) {
      const endMs = ends.get(series.host) ?? Number.NEGATIVE_INFINITY
      if (startMs >= endMs || startMs < endMs - spanOfHostMs || !matches(filter, series)) continue
      spanMs = Math.max(spanMs, endMs - startMs)
      let group = groups.get(series)
      if (group === undefined) {
        const key = JSON.stringify(keyOf[by](series))
        group = byKey.get(key) ?? {
          first: series,
          cells: [],
          calls: 0,
          hasSeveralHosts: false,
          hasSeveralWorkloads: false
        }
        byKey.set(key, group)
        groups.set(series, group)
        if (group.first.host !== series.host) group.hasSeveralHosts = true
        if (group.first.workload !== series.workload) group.hasSeveralWorkloads = true
      }
      group.cells.push(cell)
      group.calls += cell.count
    }
  }
  return { groups: [...byKey.values()], spanMs }
}

/** @param windows the shortest ones: of rows by process or Go function where `by` is that, else of rows by workload */
export const topOf = (windows: Windows, by: TopBy, filter: Filter): { spanMs: number; rows: TopRow[] } => {
  const { groups, spanMs } = groupsOf(windows, by, filter)
  const totalNs = groups.reduce((total, { cells }) => total + sumOf(cells, 'totalNs'), 0)
  const perSecond = (count: number): number => (count * 1000) / spanMs
  const busiest = groups.sort((a, b) => b.calls - a.calls).slice(0, maxRows)
  const rows = busiest.map(({ first, cells, calls, hasSeveralHosts, hasSeveralWorkloads }): TopRow => {
    const [p50 = 0, p99 = 0] = Distribution.of(cells).quantiles([0.5, 0.99])
    return {
      host: hasSeveralHosts ? '*' : first.host,
      workload: hasSeveralWorkloads ? '*' : first.workload,
      pid: by === 'process' ? first.pid : null,
      comm: by === 'process' ? first.comm : null,
      call: by === 'call' ? first.call : (filter.call ?? null),
      goFunction: by === 'go_function' ? first.goFunction : null,
      callsPerSecond: perSecond(calls),
      failedPerSecond: perSecond(sumOf(cells, 'failed')),
      p50,
      p99,
      timeShare: totalNs > 0 ? sumOf(cells, 'totalNs') / totalNs : 0
    }
  })
  return { spanMs, rows }
}
