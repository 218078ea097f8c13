// Windows in, what is shown of them out: a point for each window, a row for each of the largest. Pure.
import { Sketch } from '../../wire/sketch.ts'
import type { Filter, Point, TopBy, TopRow } from './protocol.ts'
import { type Cell, type Series, takes, type Window, type Windows } from './windows.ts'

/** Buckets to an octave of a row's latency. */
const bucketsOfOctave = 32
const maxTopRows = 100
/** `top` looks this far back from each host's newest whole window. */
export const topSpanMs = 10_000

class Merged {
  count = 0
  errors = 0
  totalNs = 0
  maxNs = 0
  readonly sketch = new Sketch()
  readonly octaves = new Map<number, number>()

  add({ count, errors, totalNs, maxNs, latency }: Cell): void {
    this.count += count
    this.errors += errors
    this.totalNs += totalNs
    this.maxNs = Math.max(this.maxNs, maxNs)
    for (let i = 0; i < latency.length; i += 2) {
      const [index, values] = [latency[i] as number, latency[i + 1] as number]
      this.sketch.recordAt(index, values)
      const octave = Math.floor(index / bucketsOfOctave)
      this.octaves.set(octave, (this.octaves.get(octave) ?? 0) + values)
    }
  }
}

/** Undefined when the window has nothing of the filter's hosts; with something of them it has a point, if of no call. */
export const pointOf = (window: Window, windowMs: number, filter: Filter): Point | undefined => {
  const merged = new Merged()
  const open = { cells: false, hosts: false }
  let hasRows = false
  for (const [series, cell] of window.cells) {
    if (filter.host !== undefined && series.host !== filter.host) continue
    hasRows = true
    if (!cell.complete) open.cells = true
    if (takes(filter, series)) merged.add(cell)
  }
  let lost = 0
  let isHeard = false
  for (const [host, heard] of window.heard) {
    if (filter.host !== undefined && host !== filter.host) continue
    isHeard = true
    lost += heard.lost
    if (heard.untilMs < window.startMs + windowMs) open.hosts = true
  }
  if (!hasRows && !isHeard) return undefined
  const [p50 = 0, p95 = 0, p99 = 0] = merged.sketch.quantiles([0.5, 0.95, 0.99])
  return {
    timeMs: window.startMs,
    count: merged.count,
    errors: merged.errors,
    p50,
    p95,
    p99,
    max: merged.maxNs,
    heat: [...merged.octaves].sort(([a], [b]) => a - b),
    lost,
    // A window without a row of its host's closes unseen: it is whole when its status is.
    complete: hasRows ? !open.cells : !open.hosts
  }
}

const groupOf: Readonly<Record<TopBy, (series: Series) => readonly unknown[]>> = {
  process: ({ host, pid, startUs }) => [host, pid, startUs],
  workload: ({ host, workload }) => [host, workload],
  go_function: ({ host, workload, goFunction }) => [host, workload, goFunction],
  call: ({ call }) => [call]
}

interface Group {
  readonly first: Series
  readonly merged: Merged
  isOfHosts: boolean
  isOfWorkloads: boolean
}

/** When each host's newest whole window ended, milliseconds since the epoch. */
const endsByHost = (windows: readonly Window[], windowMs: number): Map<string, number> => {
  const ends = new Map<string, number>()
  for (const { startMs, cells } of windows) {
    for (const [{ host }, { complete }] of cells) if (complete) ends.set(host, startMs + windowMs)
  }
  return ends
}

/**
 * The largest of what the rows are of, over the last whole windows of each host.
 * @param windows of the shortest length, by what `by` says; by workload for calls
 */
export const topOf = (windows: Windows, by: TopBy, filter: Filter): { spanMs: number; rows: TopRow[] } => {
  const all = windows.since(Number.NEGATIVE_INFINITY, -1)
  const ends = endsByHost(all, windows.windowMs)
  const groups = new Map<string, Group>()
  let totalNs = 0
  let spanMs = windows.windowMs
  for (const { startMs, cells } of all) {
    for (const [series, cell] of cells) {
      const endMs = ends.get(series.host) ?? Number.NEGATIVE_INFINITY
      if (startMs >= endMs || startMs < endMs - topSpanMs || !takes(filter, series)) continue
      spanMs = Math.max(spanMs, endMs - startMs)
      const key = JSON.stringify(groupOf[by](series))
      let group = groups.get(key)
      if (group === undefined) {
        group = { first: series, merged: new Merged(), isOfHosts: false, isOfWorkloads: false }
        groups.set(key, group)
      }
      if (group.first.host !== series.host) group.isOfHosts = true
      if (group.first.workload !== series.workload) group.isOfWorkloads = true
      group.merged.add(cell)
      totalNs += cell.totalNs
    }
  }
  const largest = [...groups.values()].sort((a, b) => b.merged.count - a.merged.count).slice(0, maxTopRows)
  const perSecond = (count: number): number => (count * 1000) / spanMs
  const rows = largest.map(({ first, merged, isOfHosts, isOfWorkloads }): TopRow => {
    const [p50 = 0, p99 = 0] = merged.sketch.quantiles([0.5, 0.99])
    return {
      host: isOfHosts ? '*' : first.host,
      workload: isOfWorkloads ? '*' : first.workload,
      pid: by === 'process' ? first.pid : null,
      comm: by === 'process' ? first.comm : null,
      call: by === 'call' ? first.call : (filter.call ?? null),
      goFunction: by === 'go_function' ? first.goFunction : null,
      callsPerSecond: perSecond(merged.count),
      errorsPerSecond: perSecond(merged.errors),
      p50,
      p99,
      timeShare: totalNs > 0 ? merged.totalNs / totalNs : 0
    }
  })
  return { spanMs, rows }
}
