// One of the shortest windows, the only place where a call is recorded. A cell for each (process, Go function, call) holds
// the calls since the last publication; mergeParts() adds them to the rows of this window and of the longer ones around it.
import type { Process, RollupKey } from '../../wire/types.ts'
import { workloadOf } from '../../wire/workload.ts'
import type { BatchCache } from './batch-cache.ts'
import { BoundedTable } from './bounded-table.ts'
import type { Key } from './key.ts'
import { KeyTable } from './key-table.ts'
import type { Rates } from './rates.ts'
import type { Row } from './row.ts'
import { Tally } from './tally.ts'
import type { Window } from './window.ts'

interface Target {
  readonly window: Window
  readonly row: Row
}

export interface Cell {
  readonly key: Key
  /** True beyond the bound on processes: the cell is the workload's, or one for all workloads beyond their bound. */
  readonly isOverflow: boolean
  /** The process of the first call; undefined for the cell of all workloads beyond the bound. */
  readonly process: Process | undefined
  /** Calls since the last mergeParts(). */
  part: Tally | undefined
  /** The rows that the part is merged into; looked up once. */
  targets: readonly Target[] | undefined
}

const cellOf = (key: Key, process: Process | undefined, isOverflow: boolean): Cell => ({
  key,
  isOverflow,
  process,
  part: undefined,
  targets: undefined
})

const createOverflow = (maxCells: number): BoundedTable<Cell> =>
  new BoundedTable(maxCells, (key, process) => cellOf(key, process, true))

export class ShortestWindow {
  readonly window: Window
  /** The longer windows that contain this one. */
  readonly longer: readonly Window[]
  hasPartialResult = false
  /** Emitted calls. */
  emitted = 0
  /** Calls counted in the kernel. */
  counted = 0
  /** Calls of processes beyond the bound. */
  overflowCalls = 0
  /** Cells by process × number of call names + code, while a batch is recorded. */
  cache: BatchCache<Cell> | undefined
  readonly #by: readonly RollupKey[]
  readonly #maxCells: number
  #cells = new KeyTable<Cell>()
  #overflow: BoundedTable<Cell>
  #changed: Cell[] = []

  constructor(window: Window, longer: readonly Window[], by: readonly RollupKey[], maxCells: number) {
    this.window = window
    this.longer = longer
    this.#by = by
    this.#maxCells = maxCells
    this.#overflow = createOverflow(maxCells)
  }

  /** Number of keys (process, Go function, call) within the bound. */
  get keys(): number {
    return this.#cells.entries.length
  }

  /** @param slot of process and call in the batch cache; unused for a call of a Go function */
  cellAt(slot: number, process: Process, goFunction: string | null, code: number): Cell {
    if (goFunction !== null) return this.#cellOf(process, goFunction, code)
    const cache = this.cache as BatchCache<Cell>
    const known = cache.get(slot)
    if (known !== undefined) return known
    const cell = this.#cellOf(process, null, code)
    cache.set(slot, cell)
    return cell
  }

  #cellOf(process: Process, goFunction: string | null, code: number): Cell {
    const key = { workload: workloadOf(process), pid: process.pid, startUs: process.start_us, goFunction, code }
    const known = this.#cells.find(key)
    if (known !== undefined) return known
    if (this.keys < this.#maxCells) return this.#cells.add(cellOf(key, process, false))
    return this.#overflow.of({ ...key, pid: 0, startUs: 0 }, process)
  }

  /** Creates the part of a cell that has none. */
  createPart(cell: Cell): Tally {
    this.#changed.push(cell)
    cell.part = new Tally()
    return cell.part
  }

  /** Moves the parts of all cells into their rows. */
  mergeParts(rates: Rates): void {
    for (const cell of this.#changed) {
      const part = cell.part as Tally
      cell.part = undefined
      cell.targets ??= this.#targetsOf(cell)
      if (cell.isOverflow) this.overflowCalls += part.count
      const last = cell.targets.length - 1
      for (const [i, { window, row }] of cell.targets.entries()) {
        window.add(row, part, i === last)
        // A published row of a longer window: its rate must include late calls as if they had arrived in time.
        if (window !== this.window && row.revision > 0) {
          row.rateEwma += rates.gainOf(part.count, this.window.endUs, window.endUs)
        }
      }
    }
    this.#changed = []
  }

  /** Frees the cells, after mergeParts(). Late calls are few: they create cells again, which find their rows. */
  releaseCells(): void {
    if (this.keys === 0) return
    this.#cells = new KeyTable()
    this.#overflow = createOverflow(this.#maxCells)
  }

  #targetsOf({ key, isOverflow, process }: Cell): Target[] {
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
      const ofProcess = isOverflow ? undefined : process
      targets.push({
        window,
        row: window.rowOf('process', key.goFunction === null ? key : { ...key, goFunction: null }, ofProcess)
      })
    }
    return targets
  }
}
