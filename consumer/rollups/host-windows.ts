// The windows of one host: the calls of its batches in; partial results, final results and revisions out. A window accepts
// calls until the allowed lateness after its end, and expires then.
import type { Config } from '../../runtime/config.ts'
import { type ColumnBatch, callNames } from '../../wire/columns.ts'
import type { Rollup } from '../../wire/types.ts'
import { Anchors } from '../state/anchors.ts'
import { windowStart } from '../state/window-start.ts'
import type { BatchCachePool } from './batch-cache.ts'
import { HostRates } from './host-rates.ts'
import type { ClosedWindow, RejectedCalls } from './host-status.ts'
import { rateMemoryUs } from './rates.ts'
import { recordCalls } from './record-calls.ts'
import type { Cell, ShortestWindow } from './shortest-window.ts'
import type { Window } from './window.ts'
import { WindowSet } from './window-set.ts'

/**
 * Distance of the watermark from a batch's clock. An edge closes a batch after 100 ms at most, and its counting intervals
 * end at most that long after the second.
 */
export const watermarkDelayUs = 100_000

export interface WindowResults {
  readonly rollups: Rollup[]
  /** The shortest windows that closed, in their order. */
  readonly closed: ClosedWindow[]
}

export class HostWindows {
  readonly #host: string
  readonly #options: Config['rollups']
  readonly #shortUs: number
  readonly #longestUs: number
  /** Windows that start before it may lack calls of batches that were not read: they are never created. */
  readonly #floorUs: number
  readonly #windows: WindowSet
  readonly #rates: HostRates
  #anchors: Anchors
  /** Windows that end at or before it are closed. */
  #closedUs = Number.NEGATIVE_INFINITY
  /** Windows that end at or before it have expired. */
  #expiredUs = Number.NEGATIVE_INFINITY
  #rejected: RejectedCalls = { late: 0, outside: 0 }
  /** The wall clock of the last batch. */
  #nowUs = Number.NEGATIVE_INFINITY

  constructor(host: string, options: Config['rollups'], floorUs: number) {
    const { windowsMs, by, maxKeys } = options
    const sizesUs = [...new Set(windowsMs)].sort((a, b) => a - b).map((ms) => ms * 1000)
    this.#host = host
    this.#options = options
    this.#floorUs = floorUs
    this.#shortUs = sizesUs[0] ?? 0
    this.#longestUs = sizesUs.at(-1) ?? 0
    this.#windows = new WindowSet({ sizesUs, by, maxKeys, floorUs })
    this.#rates = new HostRates(this.#shortUs, maxKeys)
    this.#anchors = new Anchors(this.#shortUs)
  }

  /** A restart from this offset rebuilds all windows that can still change, and the rates to within e^-7. */
  get resumeOffset(): bigint | undefined {
    return this.#anchors.resumeOffset
  }

  /** True when the wall clock was stepped back beyond every window that can still change. */
  isBefore(clockUs: number): boolean {
    return clockUs < this.#expiredUs - this.#longestUs
  }

  /**
   * Records the emitted and counted calls of a batch.
   * @returns the calls that no window accepts
   */
  add(batch: ColumnBatch, offset: bigint, pool: BatchCachePool<Cell>): Readonly<RejectedCalls> {
    this.#nowUs = batch.clock.wall_us
    this.#anchors.add(this.#nowUs, offset)
    this.#rejected = { late: 0, outside: 0 }
    pool.begin(batch.processes.length * callNames.size)
    const windowAt = (timeUs: number, calls: number) => this.#windowAt(timeUs, calls, pool)
    recordCalls(batch, windowAt, this.#options.by.includes('go_function'))
    for (const window of this.#windows.short) window.cache = undefined
    return this.#rejected
  }

  /** Advances the watermark to a batch that was added, closes windows, and expires those that can no longer change. */
  advance({ clock, counted_until_us, final }: ColumnBatch): WindowResults {
    if (final) return this.#endRun()
    const nowUs = clock.wall_us
    const watermarkUs = nowUs - watermarkDelayUs
    // A window waits for its counted calls, but not beyond the allowed lateness.
    const countedUntilUs = nowUs - clock.monotonic_us + counted_until_us + watermarkDelayUs
    const countedUs = counted_until_us < 0 ? nowUs : Math.max(countedUntilUs, this.#latestUs())
    return this.#publish(windowStart(Math.min(watermarkUs, countedUs), this.#shortUs), false)
  }

  /** Closes all windows of a silent host, and needs no batch after a restart. Later batches correct the windows. */
  suspend(): WindowResults {
    const results = this.end()
    this.#anchors = new Anchors(this.#shortUs)
    return results
  }

  /** Closes all windows. */
  end(): WindowResults {
    return this.#publish(windowStart(this.#nowUs, this.#shortUs) + this.#shortUs, true)
  }

  /** The final batch always gets a status, even when an earlier run closed the window. */
  #endRun(): WindowResults {
    const results = this.end()
    if (results.closed.length === 0) results.closed.push({ startUs: this.#closedUs - this.#shortUs, calls: undefined })
    return results
  }

  /** @param all true to close also the windows that have not ended */
  #publish(closedUs: number, all: boolean): WindowResults {
    const results: WindowResults = { rollups: [], closed: [] }
    const earlierUs = this.#closedUs
    this.#closedUs = Math.max(earlierUs, closedUs)
    for (const short of this.#windows.short) {
      const closes = this.#publishShortest(short, all, results.rollups)
      const { emitted, counted, overflowCalls, keys, window } = short
      if (closes && window.endUs > earlierUs) {
        results.closed.push({ startUs: window.startUs, calls: { emitted, counted, overflowCalls, keys } })
      }
      if (window.isClosed) short.releaseCells()
    }
    for (const window of this.#windows.longer) this.#publishLonger(window, all, results.rollups)
    // The newest closed window has a status even without calls; earlier windows without calls have none.
    const lastUs = this.#closedUs - this.#shortUs
    const hasLast = (results.closed.at(-1)?.startUs ?? Number.NEGATIVE_INFINITY) >= lastUs
    const isLater = this.#closedUs > earlierUs && earlierUs > Number.NEGATIVE_INFINITY
    if (!hasLast && isLater) results.closed.push({ startUs: lastUs, calls: undefined })
    this.#expire()
    return results
  }

  /** @returns true when the window closed */
  #publishShortest(short: ShortestWindow, all: boolean, rollups: Rollup[]): boolean {
    const { partialAfterMs } = this.#options
    const { window } = short
    const closes = !window.isClosed && (all || window.endUs <= this.#closedUs)
    const isPartial =
      partialAfterMs > 0 && !short.hasPartialResult && this.#nowUs >= window.startUs + partialAfterMs * 1000
    if (!window.isClosed && !closes && !isPartial) return false
    short.hasPartialResult = true
    short.mergeParts(this.#rates.workload)
    for (const row of window.publish(closes)) {
      this.#rates.update(row, window)
      rollups.push(row.rollup(this.#host, window))
    }
    return closes
  }

  #publishLonger(window: Window, all: boolean, rollups: Rollup[]): void {
    const closes = !window.isClosed && (all || window.endUs <= this.#closedUs)
    if (!window.isClosed && !closes) return
    for (const row of window.publish(closes)) {
      if (row.revision === 1) row.rateEwma = this.#rates.workload.at(row.key, window.endUs)
      rollups.push(row.rollup(this.#host, window))
    }
  }

  /** Windows that end at or before it are beyond the allowed lateness. */
  #latestUs(): number {
    return this.#nowUs - watermarkDelayUs - this.#options.latenessMs * 1000
  }

  #expire(): void {
    this.#expiredUs = Math.max(this.#expiredUs, this.#latestUs())
    this.#windows.expireBefore(this.#expiredUs)
    this.#rates.expire(this.#nowUs)
    // No window that can change starts before the first of these times; no rate needs calls before the second.
    this.#anchors.expireBefore(Math.min(this.#expiredUs - this.#longestUs, this.#nowUs - rateMemoryUs))
  }

  /** @param calls to reject when there is no window for them */
  #windowAt(timeUs: number, calls: number, pool: BatchCachePool<Cell>): ShortestWindow | undefined {
    const startUs = windowStart(timeUs, this.#shortUs)
    let found = this.#windows.find(startUs)
    if (found === undefined) {
      if (startUs + this.#shortUs <= this.#expiredUs) {
        this.#rejected.late += calls
        return undefined
      }
      if (startUs < this.#floorUs || startUs > this.#nowUs + this.#longestUs) {
        this.#rejected.outside += calls
        return undefined
      }
      found = this.#windows.create(startUs)
    }
    found.cache ??= pool.take()
    return found
  }
}
