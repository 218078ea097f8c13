// Windows in, what is shown of them out: a point for each window, a row for each of the largest. Pure.
import { Sketch } from '../../../wire/sketch.ts'
import type { Filter, Point, TopBy, TopRow } from '../protocol.ts'
import { type Cell, countIn, indexIn, type Series, takes, type Window, type Windows } from './windows.ts'

const bucketsOfOctave = 32
/** Durations are below 2^53 ns. */
const octaves = 53
const maxTopRows = 100
/** The top looks this far back from each host's newest whole window. */
const topSpanMs = 10_000
/** A host that is further behind the others has no part in the top. */
const maxBehindMs = 60_000

/** Cells' buckets summed in place: a whole chart has a million of them, of which a sketch then takes some hundred. */
class Distribution {
  readonly #counts = new Float64Array(octaves * bucketsOfOctave)

  static of(cells: readonly Cell[]): Distribution {
    shared.#counts.fill(0)
    for (const { latency } of cells) shared.#add(latency)
    return shared
  }

  quantiles(qs: readonly number[]): number[] {
    const sketch = new Sketch()
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index] as number
      if (count > 0) sketch.recordAt(index, count)
    }
    return sketch.quantiles(qs)
  }

  /** Counts by octave, those that are not 0. */
  heat(): [octave: number, count: number][] {
    const heat: [number, number][] = []
    for (let octave = 0; octave < octaves; octave++) {
      const first = octave * bucketsOfOctave
      let count = 0
      for (let index = first; index < first + bucketsOfOctave; index++) count += this.#counts[index] as number
      if (count > 0) heat.push([octave, count])
    }
    return heat
  }

  #add(latency: readonly number[]): void {
    const counts = this.#counts
    for (let i = 0; i < latency.length; i++) {
      const bucket = latency[i] as number
      const index = indexIn(bucket)
      counts[index] = (counts[index] as number) + countIn(bucket)
    }
  }
}

/** Each is read before the next is made. */
const shared = new Distribution()

const sum = (cells: readonly Cell[], field: 'count' | 'errors' | 'totalNs'): number =>
  cells.reduce((total, cell) => total + cell[field], 0)

/** Undefined when the window has nothing of the filter's hosts; with something of them it has a point, if of no call. */
export const pointOf = (window: Window, windowMs: number, filter: Filter): Point | undefined => {
  const taken: Cell[] = []
  let hasRows = false
  let isOpen = false
  for (const [series, cell] of window.cells) {
    if (filter.host !== undefined && series.host !== filter.host) continue
    hasRows = true
    if (!cell.complete) isOpen = true
    if (takes(filter, series)) taken.push(cell)
  }
  let lost = 0
  let isHeard = false
  for (const [host, heard] of window.heard) {
    if (filter.host !== undefined && host !== filter.host) continue
    isHeard = true
    lost += heard.lost
    // A window without a row of its host's closes unseen: it is whole when its last status is there.
    if (!hasRows && heard.untilMs < window.startMs + windowMs) isOpen = true
  }
  if (!hasRows && !isHeard) return undefined
  const distribution = Distribution.of(taken)
  const [p50 = 0, p95 = 0, p99 = 0] = distribution.quantiles([0.5, 0.95, 0.99])
  return {
    timeMs: window.startMs,
    count: sum(taken, 'count'),
    errors: sum(taken, 'errors'),
    p50,
    p95,
    p99,
    max: taken.reduce((max, { maxNs }) => Math.max(max, maxNs), 0),
    heat: distribution.heat(),
    lost,
    complete: !isOpen
  }
}

const keyOf: Readonly<Record<TopBy, (series: Series) => readonly unknown[]>> = {
  process: ({ host, pid, startUs }) => [host, pid, startUs],
  workload: ({ host, workload }) => [host, workload],
  go_function: ({ host, workload, goFunction }) => [host, workload, goFunction],
  call: ({ call }) => [call]
}

interface Group {
  readonly first: Series
  readonly cells: Cell[]
  calls: number
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

/** The top's windows by group, and how long a time they span. */
const groupsOf = (windows: Windows, by: TopBy, filter: Filter): { groups: Group[]; spanMs: number } => {
  const all = windows.last(maxBehindMs)
  const ends = endsByHost(all, windows.windowMs)
  const groups = new Map<Series, Group>()
  const byKey = new Map<string, Group>()
  let spanMs = windows.windowMs
  for (const { startMs, cells } of all) {
    for (const [series, cell] of cells) {
      const endMs = ends.get(series.host) ?? Number.NEGATIVE_INFINITY
      if (startMs >= endMs || startMs < endMs - topSpanMs || !takes(filter, series)) continue
      spanMs = Math.max(spanMs, endMs - startMs)
      let group = groups.get(series)
      if (group === undefined) {
        const key = JSON.stringify(keyOf[by](series))
        group = byKey.get(key) ?? { first: series, cells: [], calls: 0, isOfHosts: false, isOfWorkloads: false }
        byKey.set(key, group)
        groups.set(series, group)
        if (group.first.host !== series.host) group.isOfHosts = true
        if (group.first.workload !== series.workload) group.isOfWorkloads = true
      }
      group.cells.push(cell)
      group.calls += cell.count
    }
  }
  return { groups: [...byKey.values()], spanMs }
}

/**
 * The largest of what the rows are of, over the last whole windows of each host.
 * @param windows of the shortest length, by what `by` says; by workload for calls
 */
export const topOf = (windows: Windows, by: TopBy, filter: Filter): { spanMs: number; rows: TopRow[] } => {
  const { groups, spanMs } = groupsOf(windows, by, filter)
  const totalNs = groups.reduce((total, { cells }) => total + sum(cells, 'totalNs'), 0)
  const perSecond = (count: number): number => (count * 1000) / spanMs
  const largest = groups.sort((a, b) => b.calls - a.calls).slice(0, maxTopRows)
  const rows = largest.map(({ first, cells, calls, isOfHosts, isOfWorkloads }): TopRow => {
    const [p50 = 0, p99 = 0] = Distribution.of(cells).quantiles([0.5, 0.99])
    return {
      host: isOfHosts ? '*' : first.host,
      workload: isOfWorkloads ? '*' : first.workload,
      pid: by === 'process' ? first.pid : null,
      comm: by === 'process' ? first.comm : null,
      call: by === 'call' ? first.call : (filter.call ?? null),
      goFunction: by === 'go_function' ? first.goFunction : null,
      callsPerSecond: perSecond(calls),
      errorsPerSecond: perSecond(sum(cells, 'errors')),
      p50,
      p99,
      timeShare: totalNs > 0 ? sum(cells, 'totalNs') / totalNs : 0
    }
  })
  return { spanMs, rows }
}
