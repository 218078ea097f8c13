// The windows of one host: calls go in by batch, rows of windows that closed or were corrected come out.
// A window takes calls until `latenessMs` after its close; what is held is what can still change.
import type { Config } from '../../runtime/config.ts'
import { type ColumnBatch, callNames } from '../../wire/columns.ts'
import type { Rollup, RollupKey } from '../../wire/types.ts'
import { Anchors } from '../state/anchors.ts'
import type { ClosedWindow, LeftOut } from './host-status.ts'
import { Rates, rateMemoryUs } from './rates.ts'
import { recordCalls } from './record-calls.ts'
import type { Row } from './row.ts'
import { type Cell, ShortestWindow } from './shortest-window.ts'
import type { SlotPool } from './slots.ts'
import { Window } from './window.ts'

/**
 * From a window's end to its close: batches close every 100 ms, so those with calls of the window came by then. Also what
 * edges may begin to count early or late for the second, see recordCalls().
 */
export const graceUs = 100_000

export interface Told {
  readonly rollups: Rollup[]
  /** Of the shortest windows, those that closed, in their order. */
  readonly closed: ClosedWindow[]
}

export class HostWindows {
  readonly #host: string
  readonly #options: Config['rollups']
  readonly #shortUs: number
  readonly #longestUs: number
  /** Ascending; without the shortest. */
  readonly #longerUs: readonly number[]
  /** In the order of their starts. */
  #short: ShortestWindow[] = []
  #longer: Window[] = []
  readonly #rates: Readonly<Record<RollupKey, Rates>>
  /** Windows that start before it may lack calls of batches that were never seen: they are not made. */
  readonly #floorUs: number
  /** Windows that end at or before it are closed. */
  #closedUs = Number.NEGATIVE_INFINITY
  /** Windows that end at or before it were let go. */
  #purgedUs = Number.NEGATIVE_INFINITY
  readonly #anchors: Anchors
  #leftOut: LeftOut = { late: 0, outside: 0 }
  /** The clock of the last batch. */
  #nowUs = Number.NEGATIVE_INFINITY

  constructor(host: string, options: Config['rollups'], floorUs: number) {
    this.#host = host
    this.#options = options
    this.#floorUs = floorUs
    const sizesUs = [...new Set(options.windowsMs)].sort((a, b) => a - b).map((ms) => ms * 1000)
    const [shortUs = 0, ...longerUs] = sizesUs
    this.#shortUs = shortUs
    this.#longerUs = longerUs
    this.#longestUs = sizesUs.at(-1) ?? 0
    const rates = () => new Rates(shortUs, options.maxKeys)
    this.#rates = { process: rates(), workload: rates(), go_function: rates() }
    this.#anchors = new Anchors(shortUs)
  }

  /** The earliest offset from which all windows that can still change can be made again, and rates but for nothing. */
  get resumeOffset(): bigint | undefined {
    return this.#anchors.resumeOffset
  }

  /** Whether the clock lies before all that can still be corrected: it was stepped back. */
  isBefore(clockUs: number): boolean {
    return clockUs < this.#purgedUs - this.#longestUs
  }

  /**
   * Records the calls of a batch, told one by one or counted.
   * @returns what was left out
   */
  add(batch: ColumnBatch, offset: bigint, pool: SlotPool<Cell>): Readonly<LeftOut> {
    this.#nowUs = batch.clock.wall_us
    this.#anchors.add(this.#nowUs, offset)
    this.#leftOut = { late: 0, outside: 0 }
    pool.begin(batch.processes.length * callNames.size)
    const windowAt = (timeUs: number, calls: number) => this.#windowAt(timeUs, calls, pool)
    recordCalls(batch, windowAt, this.#options.by.includes('go_function'))
    for (const window of this.#short) window.slots = undefined
    return this.#leftOut
  }

  /**
   * Rows of the windows that a batch's clocks close, all of them when its run ended, of those that are to be told early, and
   * of closed ones that were corrected since; then lets go of what is too old to be corrected. After add() of the batch.
   */
  tell({ clock, counted_until_us, final }: ColumnBatch): Told {
    if (final) return this.#endRun()
    const nowUs = clock.wall_us
    const purgedUs = nowUs - graceUs - this.#options.latenessMs * 1000
    // None waits for counted calls beyond the lateness.
    const countedUs =
      counted_until_us < 0 ? nowUs : Math.max(nowUs - clock.monotonic_us + counted_until_us + graceUs, purgedUs)
    return this.#tell(this.#floorOf(Math.min(nowUs - graceUs, countedUs)), false)
  }

  /** The rows of all windows that are open or were corrected, as when the host is heard from no more. */
  end(): Told {
    return this.#tell(this.#floorOf(this.#nowUs) + this.#shortUs, true)
  }

  /** The last batch has the status of a second, also where that closed with another run. */
  #endRun(): Told {
    const told = this.end()
    if (told.closed.length === 0) told.closed.push({ startUs: this.#closedUs - this.#shortUs, calls: undefined })
    return told
  }

  /** @param all whether windows are closed that are not yet over, too */
  #tell(closedUs: number, all: boolean): Told {
    const told: Told = { rollups: [], closed: [] }
    const earlierUs = this.#closedUs
    this.#closedUs = Math.max(earlierUs, closedUs)
    for (const short of this.#short) {
      const closes = this.#publishShortest(short, all, told.rollups)
      const { events, counted, beyond, keys, window } = short
      if (closes && window.endUs > earlierUs) {
        told.closed.push({ startUs: window.startUs, calls: { events, counted, beyond, keys } })
      }
      if (window.isClosed) short.close()
    }
    for (const window of this.#longer) this.#publishLonger(window, all, told.rollups)
    const lastUs = this.#closedUs - this.#shortUs
    const isTold = (told.closed.at(-1)?.startUs ?? Number.NEGATIVE_INFINITY) >= lastUs
    const isOver = this.#closedUs > earlierUs && earlierUs > Number.NEGATIVE_INFINITY
    if (!isTold && isOver) told.closed.push({ startUs: lastUs, calls: undefined })
    this.#purge(this.#nowUs)
    return told
  }

  /** @returns whether the window closed */
  #publishShortest(short: ShortestWindow, all: boolean, rollups: Rollup[]): boolean {
    const { partialAfterMs } = this.#options
    const { window } = short
    const closes = !window.isClosed && (all || window.endUs <= this.#closedUs)
    const isEarly =
      !short.isPublishedPartially && partialAfterMs > 0 && this.#nowUs >= window.startUs + partialAfterMs * 1000
    if (!window.isClosed && !closes && !isEarly) return false
    short.isPublishedPartially = true
    short.settle(this.#rates.workload)
    for (const row of window.tell(closes)) {
      this.#rate(row, window)
      rollups.push(row.rollup(this.#host, window))
    }
    return closes
  }

  #publishLonger(window: Window, all: boolean, rollups: Rollup[]): void {
    const closes = !window.isClosed && (all || window.endUs <= this.#closedUs)
    if (!window.isClosed && !closes) return
    for (const row of window.tell(closes)) {
      if (row.revision === 1) row.rateEwma = this.#rates.workload.at(row.key, window.endUs)
      rollups.push(row.rollup(this.#host, window))
    }
  }

  #rate(row: Row, { endUs, isClosed }: Window): void {
    const rates = this.#rates[row.by]
    const calls = row.count - row.rated
    const gain = rates.gainOf(calls, endUs, endUs)
    if (!isClosed) {
      // Not added yet: the window before may wait for its counted calls.
      row.rateEwma = rates.at(row.key, endUs) + gain
      return
    }
    const rate = rates.add(row.key, calls, endUs)
    row.rateEwma = row.rated === 0 ? rate : row.rateEwma + gain
    row.rated = row.count
  }

  #purge(nowUs: number): void {
    const purgedUs = Math.max(this.#purgedUs, nowUs - graceUs - this.#options.latenessMs * 1000)
    this.#purgedUs = purgedUs
    this.#short = this.#short.filter(({ window }) => window.endUs > purgedUs)
    this.#longer = this.#longer.filter(({ endUs }) => endUs > purgedUs)
    for (const rates of Object.values(this.#rates)) rates.forget(nowUs)
    // Windows that can change start later than that.
    this.#anchors.expireBefore(Math.min(purgedUs - this.#longestUs, nowUs - rateMemoryUs))
  }

  #floorOf(timeUs: number, sizeUs = this.#shortUs): number {
    return Math.floor(timeUs / sizeUs) * sizeUs
  }

  /** @param calls that are left out when there is none */
  #windowAt(timeUs: number, calls: number, pool: SlotPool<Cell>): ShortestWindow | undefined {
    const startUs = this.#floorOf(timeUs)
    const at = this.#short.findLastIndex(({ window }) => window.startUs <= startUs)
    let found = this.#short[at]
    if (found?.window.startUs !== startUs) {
      if (startUs + this.#shortUs <= this.#purgedUs) {
        this.#leftOut.late += calls
        return undefined
      }
      if (startUs < this.#floorUs || startUs > this.#nowUs + this.#longestUs) {
        this.#leftOut.outside += calls
        return undefined
      }
      found = this.#create(startUs)
      this.#short.splice(at + 1, 0, found)
    }
    found.slots ??= pool.lend()
    return found
  }

  #create(startUs: number): ShortestWindow {
    const { by, maxKeys } = this.#options
    const longer = this.#longerUs.flatMap((sizeUs) => this.#longerAt(this.#floorOf(startUs, sizeUs), sizeUs))
    return new ShortestWindow(new Window(startUs, this.#shortUs, maxKeys), longer, by, maxKeys)
  }

  /** None where it may lack calls. */
  #longerAt(startUs: number, sizeUs: number): Window[] {
    if (startUs < this.#floorUs) return []
    const known = this.#longer.find((window) => window.startUs === startUs && window.endUs === startUs + sizeUs)
    if (known !== undefined) return [known]
    const window = new Window(startUs, sizeUs, this.#options.maxKeys)
    this.#longer.push(window)
    return [window]
  }
}
