// The rows of one window, and which of them are to be told.
import type { Process, RollupKey } from '../../wire/types.ts'
import { BoundedTable, type Key } from './key.ts'
import { Row, type Span } from './row.ts'
import type { Tally } from './tally.ts'

export class Window implements Span {
  readonly startUs: number
  readonly endUs: number
  readonly #maxRows: number
  readonly #tables = new Map<RollupKey, BoundedTable<Row>>()
  #isClosed = false
  #changed: Row[] = []

  /** @param maxRows of each kind of key */
  constructor(startUs: number, sizeUs: number, maxRows: number) {
    this.startUs = startUs
    this.endUs = startUs + sizeUs
    this.#maxRows = maxRows
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** @param process of the first call; undefined for keys beyond a bound */
  rowOf(by: RollupKey, key: Key, process: Process | undefined): Row {
    let table = this.#tables.get(by)
    if (table === undefined) {
      table = new BoundedTable(this.#maxRows, (key, process) => new Row(by, key, process))
      this.#tables.set(by, table)
    }
    return process === undefined ? table.otherOf(key.code) : table.of(key, process)
  }

  /** @param isLast nobody else adds to the part or merges from it afterwards */
  add(row: Row, part: Tally, isLast: boolean): void {
    if (isLast) row.take(part)
    else row.merge(part)
    if (row.changed) return
    row.changed = true
    this.#changed.push(row)
  }

  /**
   * The rows that are to be told, with their next revision: those with calls that were not told yet, at the window's close
   * all of them.
   * @param closes true once
   */
  tell(closes: boolean): readonly Row[] {
    const rows = closes ? [...this.#tables.values()].flatMap(({ entries }) => entries) : this.#changed
    if (closes) this.#isClosed = true
    this.#changed = []
    for (const row of rows) {
      row.changed = false
      row.revision++
    }
    return rows
  }
}
