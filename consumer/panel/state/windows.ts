// Rows of one kind and one length of window, as they come in any order and several times: the highest revision of each
// is kept, as far back as the span and the bound on rows allow. Each change has a number, greater than all before it.
import type { Bucket, Rollup } from '../../../wire/types.ts'
import type { Filter } from '../protocol.ts'

/** What a row is of, shared by its rows of all windows. */
export interface Series {
  readonly host: string
  readonly workload: string
  readonly call: string
  readonly pid: number
  readonly startUs: number
  readonly comm: string
  readonly goFunction: string | null
}

/** What a row says of one window. */
export interface Cell {
  readonly revision: number
  readonly count: number
  readonly errors: number
  readonly totalNs: number
  readonly maxNs: number
  readonly complete: boolean
  /** The buckets, each as one number: see packed(). */
  readonly latency: readonly number[]
}

/** What a host's status says of a window. */
export interface Heard {
  lost: number
  /** Milliseconds since the epoch: the end of the last status. */
  untilMs: number
}

export interface Window {
  readonly startMs: number
  /** Number of its last change. */
  changed: number
  readonly cells: Map<Series, Cell>
  readonly heard: Map<string, Heard>
}

export interface WindowsOptions {
  readonly windowMs: number
  /** How far back from the newest window. */
  readonly keptMs: number
  /** Of all hosts together, each having an equal share; beyond it a host's oldest go first. */
  readonly maxRows: number
}

/** A host that has more than its share is cut to this part of it, so that it is not done for each row. */
const cutTo = 0.9
/** Two parts of a key never run into each other: no name holds it. */
const separator = '\0'

export const takes = ({ host, workload, call }: Filter, series: Series): boolean =>
  (host === undefined || series.host === host) &&
  (workload === undefined || series.workload === workload) &&
  (call === undefined || series.call === call)

/** More than the last index of a bucket; counts up to 2^42 fit beside it. */
const indexes = 2048

/** A bucket in 8 bytes, of some 40 that an object takes: rows are many. */
const packed = ({ index, count }: Bucket): number => count * indexes + index
export const indexIn = (bucket: number): number => bucket & (indexes - 1)
export const countIn = (bucket: number): number => Math.floor(bucket / indexes)

const cellOf = (rollup: Rollup): Cell => ({
  revision: rollup.revision,
  count: rollup.count,
  errors: rollup.errors,
  totalNs: rollup.total_ns,
  maxNs: rollup.max_ns,
  complete: rollup.complete,
  latency: rollup.latency.map(packed)
})

export class Windows {
  readonly windowMs: number
  readonly keptMs: number
  readonly #maxRows: number
  readonly #windows = new Map<number, Window>()
  readonly #series = new Map<string, Series>()
  readonly #rowsByHost = new Map<string, number>()
  #newestMs = Number.NEGATIVE_INFINITY
  #seriesAtSweep = 0

  constructor({ windowMs, keptMs, maxRows }: WindowsOptions) {
    this.windowMs = windowMs
    this.keptMs = keptMs
    this.#maxRows = maxRows
  }

  /** Everything that a window may have a row of. */
  get series(): Iterable<Series> {
    return this.#series.values()
  }

  get rows(): number {
    let rows = 0
    for (const ofHost of this.#rowsByHost.values()) rows += ofHost
    return rows
  }

  /** @returns false when nothing is changed by it: it is older than what is there, or than what is kept */
  add(rollup: Rollup, change: number, nowMs: number): boolean {
    const window = this.#windowAt(rollup.window_start / 1000, nowMs)
    if (window === undefined) return false
    const series = this.#seriesOf(rollup)
    const before = window.cells.get(series)
    if (before !== undefined && before.revision >= rollup.revision) return false
    window.cells.set(series, cellOf(rollup))
    window.changed = change
    if (before === undefined) this.#count(series.host)
    return true
  }

  /** A host's status of any window within one of these. */
  hear(host: string, startMs: number, endMs: number, lost: number, change: number, nowMs: number): boolean {
    const window = this.#windowAt(Math.floor(startMs / this.windowMs) * this.windowMs, nowMs)
    if (window === undefined) return false
    const heard = window.heard.get(host) ?? { lost: 0, untilMs: 0 }
    heard.lost += lost
    heard.untilMs = Math.max(heard.untilMs, endMs)
    window.heard.set(host, heard)
    window.changed = change
    return true
  }

  /** Those from so long before the newest on, in order of time. */
  last(spanMs: number): Window[] {
    return this.since(this.#newestMs - spanMs, -1)
  }

  /** In order of time: those from a moment on that changed after a number. */
  since(fromMs: number, change: number): Window[] {
    const found: Window[] = []
    for (const window of this.#windows.values()) {
      if (window.changed > change && window.startMs >= fromMs) found.push(window)
    }
    return found.sort((a, b) => a.startMs - b.startMs)
  }

  /** Undefined when it is older than what is kept. A host's clock that is ahead must not push out the others' past. */
  #windowAt(startMs: number, nowMs: number): Window | undefined {
    if (startMs > this.#newestMs && startMs <= nowMs) {
      this.#newestMs = startMs
      for (const { startMs: old } of this.#windows.values()) if (old <= startMs - this.keptMs) this.#forget(old)
    }
    if (startMs <= this.#newestMs - this.keptMs) return undefined
    let window = this.#windows.get(startMs)
    if (window === undefined) {
      window = { startMs, changed: 0, cells: new Map(), heard: new Map() }
      this.#windows.set(startMs, window)
      // Those that lie ahead are never too old; the first that came go.
      const [first] = this.#windows.keys()
      if (this.#windows.size > (2 * this.keptMs) / this.windowMs && first !== undefined) this.#forget(first)
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

  #count(host: string): void {
    const rows = (this.#rowsByHost.get(host) ?? 0) + 1
    this.#rowsByHost.set(host, rows)
    const share = Math.floor(this.#maxRows / this.#rowsByHost.size)
    if (rows > share) this.#cut(host, Math.floor(share * cutTo))
    if (this.#series.size > 2 * this.#seriesAtSweep + 1000) this.#sweepSeries()
  }

  #cut(host: string, rows: number): void {
    for (const { startMs, cells } of this.since(Number.NEGATIVE_INFINITY, -1)) {
      for (const series of cells.keys()) if (series.host === host) this.#drop(cells, series)
      if (cells.size === 0) this.#windows.delete(startMs)
      if ((this.#rowsByHost.get(host) ?? 0) <= rows) return
    }
  }

  #forget(startMs: number): void {
    const cells = this.#windows.get(startMs)?.cells ?? new Map<Series, Cell>()
    for (const series of cells.keys()) this.#drop(cells, series)
    this.#windows.delete(startMs)
  }

  #drop(cells: Map<Series, Cell>, series: Series): void {
    cells.delete(series)
    const rows = (this.#rowsByHost.get(series.host) ?? 0) - 1
    if (rows > 0) this.#rowsByHost.set(series.host, rows)
    else this.#rowsByHost.delete(series.host)
  }

  /** Lets go of what no window has any more: processes come and go. */
  #sweepSeries(): void {
    const used = new Set<Series>()
    for (const { cells } of this.#windows.values()) for (const series of cells.keys()) used.add(series)
    for (const [key, series] of this.#series) if (!used.has(series)) this.#series.delete(key)
    this.#seriesAtSweep = this.#series.size
  }
}
