// One of the shortest windows, where each call is recorded, once: a cell for each (process, Go function, call) holds what
// was not told yet. Told, it goes into the rows of this window and of all longer ones that it lies in.
import type { Process, RollupKey } from '../../wire/types.ts'
import { workloadOf } from '../../wire/workload.ts'
import { BoundedTable, type Key, KeyTable } from './key.ts'
import type { Rates } from './rates.ts'
import type { Row } from './row.ts'
import type { Slots } from './slots.ts'
import { Tally } from './tally.ts'
import type { Window } from './window.ts'

interface Target {
  readonly window: Window
  readonly row: Row
}

export interface Cell {
  readonly key: Key
  /** Beyond the bound on processes it is the workload's, with pid 0; beyond the bound on those all others'. */
  readonly isBeyond: boolean
  /** Of its first call; undefined for all others. */
  readonly process: Process | undefined
  /** Calls that were not told yet. */
  part: Tally | undefined
  /** Known once it was told. */
  targets: readonly Target[] | undefined
}

const cellOf = (key: Key, process: Process | undefined, isBeyond: boolean): Cell => ({
  key,
  isBeyond,
  process,
  part: undefined,
  targets: undefined
})

const cellsBeyond = (max: number): BoundedTable<Cell> =>
  new BoundedTable(max, (key, process) => cellOf(key, process, true))

export class ShortestWindow {
  readonly window: Window
  /** Those that it lies in. */
  readonly longer: readonly Window[]
  isPublishedPartially = false
  /** Calls that were told one by one, and calls that were counted. */
  events = 0
  counted = 0
  /** Calls of processes beyond the bound. */
  beyond = 0
  /** Cells by process × names + code, for one batch. */
  slots: Slots<Cell> | undefined
  readonly #by: readonly RollupKey[]
  readonly #maxCells: number
  #cells = new KeyTable<Cell>()
  #beyond: BoundedTable<Cell>
  #changed: Cell[] = []

  constructor(window: Window, longer: readonly Window[], by: readonly RollupKey[], maxCells: number) {
    this.window = window
    this.longer = longer
    this.#by = by
    this.#maxCells = maxCells
    this.#beyond = cellsBeyond(maxCells)
  }

  /** Processes and their calls. */
  get keys(): number {
    return this.#cells.entries.length
  }

  /** @param slot of the process and the call in the batch, for calls that no Go function is told of */
  cellAt(slot: number, process: Process, goFunction: string | null, code: number): Cell {
    if (goFunction !== null) return this.#cellOf(process, goFunction, code)
    const slots = this.slots as Slots<Cell>
    const known = slots.get(slot)
    if (known !== undefined) return known
    const cell = this.#cellOf(process, null, code)
    slots.set(slot, cell)
    return cell
  }

  #cellOf(process: Process, goFunction: string | null, code: number): Cell {
    const key = { workload: workloadOf(process), pid: process.pid, startUs: process.start_us, goFunction, code }
    const known = this.#cells.find(key)
    if (known !== undefined) return known
    if (this.keys < this.#maxCells) return this.#cells.add(cellOf(key, process, false))
    return this.#beyond.of({ ...key, pid: 0, startUs: 0 }, process)
  }

  /** The part of a cell that a call is to be added to. */
  begin(cell: Cell): Tally {
    this.#changed.push(cell)
    cell.part = new Tally()
    return cell.part
  }

  /** Merges what was not told yet into the rows that it belongs to. */
  settle(rates: Rates): void {
    for (const cell of this.#changed) {
      const part = cell.part as Tally
      cell.part = undefined
      cell.targets ??= this.#targetsOf(cell)
      if (cell.isBeyond) this.beyond += part.count
      const last = cell.targets.length - 1
      for (const [i, { window, row }] of cell.targets.entries()) {
        window.add(row, part, i === last)
        // A longer window's row that was told: its rate is as if this had come in time.
        if (window !== this.window && row.revision > 0) {
          row.rateEwma += rates.gainOf(part.count, this.window.endUs, window.endUs)
        }
      }
    }
    this.#changed = []
  }

  /** Lets go of the cells, after settle(): few calls come late, and find their rows again. */
  close(): void {
    if (this.keys === 0) return
    this.#cells = new KeyTable()
    this.#beyond = cellsBeyond(this.#maxCells)
  }

  #targetsOf({ key, isBeyond, process }: Cell): Target[] {
    const workload: Key = { ...key, pid: 0, startUs: 0, goFunction: null }
    const targets = [...this.longer, this.window].map((window) => ({
      window,
      row: window.rowOf('workload', workload, process)
    }))
    const { window } = this
    if (this.#by.includes('go_function') && key.goFunction !== null) {
      targets.push({ window, row: window.rowOf('go_function', { ...workload, goFunction: key.goFunction }, process) })
    }
    if (this.#by.includes('process')) {
      const ofProcess = isBeyond ? undefined : process
      targets.push({
        window,
        row: window.rowOf('process', key.goFunction === null ? key : { ...key, goFunction: null }, ofProcess)
      })
    }
    return targets
  }
}
