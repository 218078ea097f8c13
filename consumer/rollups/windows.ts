// The windows of one host: calls go in by batch, rows of windows that closed or were corrected come out.
// A window takes calls until `latenessMs` after its close; what is held is what can still change.
import type { EventBatch, Process, Rollup } from '../../wire/types.ts'
import { Anchors } from '../anchors.ts'
import type { CallNames, Calls } from './calls.ts'
import { type Row, RowTable } from './row.ts'

/**
 * From a window's end to its close: batches close every 100 ms, so those with calls of the window came by then. Also what
 * edges may begin to count early or late for the second, see Calls.
 */
const graceUs = 100_000
const noCells = new Int32Array(0)
const quantiles = [0.5, 0.95, 0.99]
/** avsc writes no greater long. A hundred threads that slept for a month and are woken together took longer. */
const longest = 2 ** 53 - 2

export interface WindowOptions {
  readonly windowsMs: readonly number[]
  /** Rows of one window; calls beyond it are summed in a row for each call, with pid 0 and comm 'other'. */
  readonly maxKeys: number
  readonly latenessMs: number
}

class Window {
  readonly startUs: number
  readonly endUs: number
  readonly #table: RowTable
  #closed = false
  /** Rows with calls that came after the close and were not emitted yet. */
  #corrected: Row[] = []
  /** Index of a row + 1 by process × names + code, for one batch: a row is looked up once in it. Lent for that time. */
  #cells: Int32Array = noCells
  /** Of the calls that the cells are for. */
  #turn = 0

  constructor(startUs: number, sizeUs: number, maxRows: number) {
    this.startUs = startUs
    this.endUs = startUs + sizeUs
    this.#table = new RowTable(maxRows)
  }

  /** Once before rowOf() of a batch; again does nothing. */
  prepare(calls: Calls, cells: number): void {
    if (this.#turn === calls.turn) return
    this.#turn = calls.turn
    this.#cells = calls.lendCells(cells)
  }

  /** The row that a call is about to be added to. */
  rowOf(cell: number, process: Process, code: number): Row {
    const known = this.#cells[cell] as number
    const index = known === 0 ? this.#table.indexOf(process, code) : known - 1
    if (known === 0) this.#cells[cell] = index + 1
    const row = this.#table.rows[index] as Row
    if (this.#closed && !row.changed) {
      row.changed = true
      this.#corrected.push(row)
    }
    return row
  }

  /** Rows to emit, with their next revision: all of them at the close, those corrected afterwards. */
  close(due: boolean): readonly Row[] {
    const closes = due && !this.#closed
    const rows = closes ? this.#table.rows : this.#corrected
    if (closes) this.#closed = true
    this.#corrected = []
    for (const row of rows) {
      row.changed = false
      row.revision++
    }
    return rows
  }
}

/** Calls that no window took, once for each length of window. */
export interface WindowCounts {
  /** Came after their window was let go. */
  late: number
  /** Lie in a window that began before the host was first seen, or far beyond its clock. */
  outside: number
}

/** The windows of one length. */
interface Lane {
  readonly sizeUs: number
  /** By start. */
  readonly windows: Map<number, Window>
}

export class HostWindows {
  readonly #host: string
  readonly #options: WindowOptions
  readonly #names: CallNames
  readonly #lanes: readonly Lane[]
  readonly #longestUs: number
  /** Windows that start before it may lack calls of batches that were never seen: they are not made. */
  readonly #floorUs: number
  /** Windows that end at or before it were let go. */
  #purgedUs = Number.NEGATIVE_INFINITY
  readonly #anchors: Anchors
  #counts: WindowCounts = { late: 0, outside: 0 }

  constructor(host: string, options: WindowOptions, names: CallNames, floorUs: number) {
    this.#host = host
    this.#options = options
    this.#names = names
    this.#floorUs = floorUs
    this.#lanes = [...new Set(options.windowsMs)].map((ms) => ({ sizeUs: ms * 1000, windows: new Map() }))
    this.#longestUs = Math.max(...this.#lanes.map(({ sizeUs }) => sizeUs))
    this.#anchors = new Anchors(Math.min(...this.#lanes.map(({ sizeUs }) => sizeUs)))
  }

  /** The earliest offset from which all windows that can still change can be made again. */
  get holdOffset(): bigint | undefined {
    return this.#anchors.holdOffset
  }

  /** What was left out since the last call. */
  takeCounts(): Readonly<WindowCounts> {
    const counts = this.#counts
    this.#counts = { late: 0, outside: 0 }
    return counts
  }

  /** Whether the clock lies before all that can still be corrected: it was stepped back. */
  isBefore(clockUs: number): boolean {
    return clockUs < this.#purgedUs - this.#longestUs
  }

  /** Adds the calls of a batch, told one by one or counted, to their windows. */
  add(batch: EventBatch, calls: Calls, offset: bigint): void {
    this.#anchors.add(batch.clock.wall_us, offset)
    for (const lane of this.#lanes) this.#addTo(lane, batch, calls)
  }

  /**
   * Rows of the windows that a batch's clocks close, all of them when its run ended, and of closed ones that were
   * corrected since; then lets go of what is too old to be corrected. Call it after add() of the batch.
   */
  close({ clock, counted_until_us, final }: EventBatch): Rollup[] {
    const wallOf = (monotonicUs: number): number => clock.wall_us - clock.monotonic_us + monotonicUs
    const countedUs = counted_until_us < 0 ? Number.POSITIVE_INFINITY : wallOf(counted_until_us)
    return this.#close(clock.wall_us, final ? Number.POSITIVE_INFINITY : clock.wall_us, countedUs)
  }

  /** The rows of all windows that are open or were corrected, as when the host is heard from no more. */
  end(clockUs: number): Rollup[] {
    return this.#close(clockUs, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  /**
   * @param toldUs until when calls are there that were told one by one
   * @param countedUs until when counted calls are there; none is waited for beyond the lateness
   */
  #close(clockUs: number, toldUs: number, countedUs: number): Rollup[] {
    const closed: Rollup[] = []
    const purgedUs = Math.max(this.#purgedUs, clockUs - graceUs - this.#options.latenessMs * 1000)
    this.#purgedUs = purgedUs
    for (const { sizeUs, windows } of this.#lanes) {
      for (const window of windows.values()) {
        const isCounted = countedUs + graceUs >= window.endUs || window.endUs <= purgedUs
        const rows = window.close(toldUs >= window.endUs + graceUs && isCounted)
        for (const row of rows) closed.push(this.#rollupOf(row, window.startUs, sizeUs))
        if (window.endUs <= purgedUs) windows.delete(window.startUs)
      }
    }
    // Windows that can change start later than that.
    this.#anchors.forgetBefore(purgedUs - this.#longestUs)
    return closed
  }

  #addTo(lane: Lane, batch: EventBatch, calls: Calls): void {
    const names = this.#names
    const width = names.size
    const clockUs = batch.clock.wall_us
    const cells = batch.processes.length * width
    let window: Window | undefined
    for (let i = 0; i < calls.length; i++) {
      const timeUs = calls.timeUs[i] as number
      if (window === undefined || timeUs < window.startUs || timeUs >= window.endUs) {
        window = this.#windowAt(lane, timeUs, clockUs, 1)
        if (window === undefined) continue
        window.prepare(calls, cells)
      }
      const code = calls.code[i] as number
      const process = calls.process[i] as number
      const row = window.rowOf(process * width + code, batch.processes[process] as Process, code)
      row.add(calls.durationNs[i] as number, calls.ret[i] as number, names.movesBytes(code))
    }
    for (const { summary, code, timeUs } of calls.counted) {
      const { process, count } = summary
      const window = this.#windowAt(lane, timeUs, clockUs, count)
      window?.prepare(calls, cells)
      window?.rowOf(process * width + code, batch.processes[process] as Process, code).addSummary(summary)
    }
  }

  /** @param count of the calls that are left out when there is none */
  #windowAt({ sizeUs, windows }: Lane, timeUs: number, clockUs: number, count: number): Window | undefined {
    const startUs = Math.floor(timeUs / sizeUs) * sizeUs
    const known = windows.get(startUs)
    if (known !== undefined) return known
    if (startUs + sizeUs <= this.#purgedUs) {
      this.#counts.late += count
      return undefined
    }
    if (startUs < this.#floorUs || startUs > clockUs + this.#longestUs) {
      this.#counts.outside += count
      return undefined
    }
    const window = new Window(startUs, sizeUs, this.#options.maxKeys)
    windows.set(startUs, window)
    return window
  }

  #rollupOf(row: Row, startUs: number, sizeUs: number): Rollup {
    const [p50 = 0, p95 = 0, p99 = 0] = row.durations.quantiles(quantiles)
    return {
      host: this.#host,
      workload: row.containerId ?? row.exe ?? row.comm,
      pid: row.pid,
      start_us: row.startUs,
      comm: row.comm,
      exe: row.exe,
      container_id: row.containerId,
      syscall: this.#names.nameOf(row.code),
      window_start: startUs,
      window_ms: sizeUs / 1000,
      revision: row.revision,
      count: row.count,
      errors: row.errors,
      bytes: Math.min(row.bytes, longest),
      total_ns: Math.min(row.totalNs, longest),
      // The middle of the highest bucket may lie above the highest value.
      p50_ns: Math.min(p50, row.maxNs, longest),
      p95_ns: Math.min(p95, row.maxNs, longest),
      p99_ns: Math.min(p99, row.maxNs, longest),
      max_ns: Math.min(row.maxNs, longest),
      by: 'process',
      go_function: null,
      other: false,
      complete: true,
      rate: 0,
      rate_ewma: 0,
      p90_ns: 0,
      p999_ns: 0,
      latency: [],
      errnos: []
    }
  }
}
