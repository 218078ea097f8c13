// Rollups of one kind and window length, in any order and revision → the highest revision of each row, within the kept
// time and the bound on rows. Each window has the number of its last change; change numbers only grow.
import type { Rollup } from '../../../wire/types.ts'
import type { Filter } from '../protocol.ts'
import { packBucket } from './distribution.ts'

/** The key of a row, shared by its rows in all windows. */
export interface Series {
  readonly host: string
  readonly workload: string
  readonly call: string
  readonly pid: number
  readonly startUs: number
  readonly comm: string
  readonly goFunction: string | null
}

/** The values of a row in one window. */
export interface Cell {
  readonly revision: number
  readonly count: number
  readonly failed: number
  readonly expected: number
  readonly totalNs: number
  readonly maxNs: number
  readonly complete: boolean
  /** Buckets, each packed by packBucket(). */
  readonly latency: readonly number[]
}

/** The statuses of one host within a window, summed. */
export interface StatusSum {
  lost: number
  /** End of the last status, milliseconds since the epoch. */
  untilMs: number
}

export interface Window {
  readonly startMs: number
  /** Number of its last change. */
  changed: number
  readonly cells: Map<Series, Cell>
  readonly statuses: Map<string, StatusSum>
}

export interface WindowsOptions {
  readonly windowMs: number
  /** Kept time before the newest window. */
  readonly keptMs: number
  /** Of all hosts together. Each has an equal share; a host above its share loses its oldest rows. */
  readonly maxRows: number
}

/** A host above its share is cut below it, so that the cut is not repeated for each row. */
const cutTo = 0.9
/** No name contains it. */
const separator = '\0'

export const matches = ({ host, workload, call }: Filter, series: Series): boolean =>
  (host === undefined || series.host === host) &&
  (workload === undefined || series.workload === workload) &&
  (call === undefined || series.call === call)

export const sumOf = (cells: readonly Cell[], field: 'count' | 'failed' | 'expected' | 'totalNs'): number =>
  cells.reduce((total, cell) => total + cell[field], 0)

const cellOf = (rollup: Rollup): Cell => ({
  revision: rollup.revision,
  count: rollup.count,
  failed: rollup.failed,
  expected: rollup.expected,
  totalNs: rollup.total_ns,
  maxNs: rollup.max_ns,
  complete: rollup.complete,
  latency: rollup.latency.map(packBucket)
})

export class Windows {
  readonly windowMs: number
  readonly keptMs: number
  readonly #maxRows: number
  readonly #windows = new Map<number, Window>()
  readonly #series = new Map<string, Series>()
  readonly #rowsByHost = new Map<string, number>()
  #newestMs = Number.NEGATIVE_INFINITY
  #seriesAfterSweep = 0

  constructor({ windowMs, keptMs, maxRows }: WindowsOptions) {
    this.windowMs = windowMs
    this.keptMs = keptMs
    this.#maxRows = maxRows
  }

  get series(): Iterable<Series> {
    return this.#series.values()
  }

  get rows(): number {
    let rows = 0
    for (const ofHost of this.#rowsByHost.values()) rows += ofHost
    return rows
  }

  /** @returns false when it changes nothing: a higher or equal revision is held, or its window has expired */
  add(rollup: Rollup, change: number, nowMs: number): boolean {
    const window = this.#windowAt(rollup.window_start / 1000, nowMs)
    if (window === undefined) return false
    const series = this.#seriesOf(rollup)
    const held = window.cells.get(series)
    if (held !== undefined && held.revision >= rollup.revision) return false
    window.cells.set(series, cellOf(rollup))
    window.changed = change
    if (held === undefined) this.#countRow(series.host)
    return true
  }

  /** Adds a host status, whose own window lies within one of these. @returns false when that window has expired */
  addStatus(host: string, startMs: number, endMs: number, lost: number, change: number, nowMs: number): boolean {
    const window = this.#windowAt(Math.floor(startMs / this.windowMs) * this.windowMs, nowMs)
    if (window === undefined) return false
    const sum = window.statuses.get(host) ?? { lost: 0, untilMs: 0 }
    sum.lost += lost
    sum.untilMs = Math.max(sum.untilMs, endMs)
    window.statuses.set(host, sum)
    window.changed = change
    return true
  }

  /** The windows of a span that ends with the newest, ordered by time. */
  last(spanMs: number): Window[] {
    return this.since(this.#newestMs - spanMs, -1)
  }

  /** The windows from a time on that changed after a change number, ordered by time. */
  since(fromMs: number, change: number): Window[] {
    const found: Window[] = []
    for (const window of this.#windows.values()) {
      if (window.changed > change && window.startMs >= fromMs) found.push(window)
    }
    return found.sort((a, b) => a.startMs - b.startMs)
  }

  /** Undefined for an expired window. A window after nowMs expires no other: the clock of its host is ahead. */
  #windowAt(startMs: number, nowMs: number): Window | undefined {
    if (startMs > this.#newestMs && startMs <= nowMs) {
      this.#newestMs = startMs
      for (const { startMs: old } of this.#windows.values()) if (old <= startMs - this.keptMs) this.#remove(old)
    }
    if (startMs <= this.#newestMs - this.keptMs) return undefined
    let window = this.#windows.get(startMs)
    if (window === undefined) {
      window = { startMs, changed: 0, cells: new Map(), statuses: new Map() }
      this.#windows.set(startMs, window)
      // Windows in the future never expire: the bound evicts the window that arrived first.
      const [first] = this.#windows.keys()
      if (this.#windows.size > (2 * this.keptMs) / this.windowMs && first !== undefined) this.#remove(first)
    }
    return window
  }

  #seriesOf({ host, workload, syscall: call, pid, start_us: startUs, comm, go_function: goFunction }: Rollup): Series {
    const key = [host, workload, call, pid, startUs, goFunction ?? ''].join(separator)
    let series = this.#series.get(key)
    if (series === undefined) {
      series = { host, workload, call, pid, startUs, comm, goFunction }
      this.#series.set(key, series)
    }
    return series
  }

  #countRow(host: string): void {
    const rows = (this.#rowsByHost.get(host) ?? 0) + 1
    this.#rowsByHost.set(host, rows)
    const share = Math.floor(this.#maxRows / this.#rowsByHost.size)
    if (rows > share) this.#evictRows(host, Math.floor(share * cutTo))
    if (this.#series.size > 2 * this.#seriesAfterSweep + 1000) this.#sweepSeries()
  }

  /** Evicts the host's oldest rows until no more than `rows` remain. */
  #evictRows(host: string, rows: number): void {
    for (const { startMs, cells } of this.since(Number.NEGATIVE_INFINITY, -1)) {
      for (const series of cells.keys()) if (series.host === host) this.#removeRow(cells, series)
      if (cells.size === 0) this.#windows.delete(startMs)
      if ((this.#rowsByHost.get(host) ?? 0) <= rows) return
    }
  }

  #remove(startMs: number): void {
    const cells = this.#windows.get(startMs)?.cells ?? new Map<Series, Cell>()
    for (const series of cells.keys()) this.#removeRow(cells, series)
    this.#windows.delete(startMs)
  }

  #removeRow(cells: Map<Series, Cell>, series: Series): void {
    cells.delete(series)
    const rows = (this.#rowsByHost.get(series.host) ?? 0) - 1
    if (rows > 0) this.#rowsByHost.set(series.host, rows)
    else this.#rowsByHost.delete(series.host)
  }

  /** Removes series without a row in any window, such as those of ended processes. */
  #sweepSeries(): void {
    const used = new Set<Series>()
    for (const { cells } of this.#windows.values()) for (const series of cells.keys()) used.add(series)
    for (const [key, series] of this.#series) if (!used.has(series)) this.#series.delete(key)
    this.#seriesAfterSweep = this.#series.size
  }
}
