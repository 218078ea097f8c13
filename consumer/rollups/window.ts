// The rows of one window: partial results while it is open, a final result when it closes, revisions for late calls.
import type { Process, RollupKey } from '../../wire/types.ts'
import { BoundedTable } from './bounded-table.ts'
import type { Key } from './key.ts'
import { Row, type Span } from './row.ts'
import type { Tally } from './tally.ts'

export class Window implements Span {
  readonly startUs: number
  readonly endUs: number
  readonly #maxRows: number
  readonly #tables = new Map<RollupKey, BoundedTable<Row>>()
  #isClosed = false
  #changed: Row[] = []

  /** @param maxRows for each kind of key */
  constructor(startUs: number, sizeUs: number, maxRows: number) {
    this.startUs = startUs
    this.endUs = startUs + sizeUs
    this.#maxRows = maxRows
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** @param process of the first call; undefined for the row of all keys beyond a bound */
  rowOf(by: RollupKey, key: Key, process: Process | undefined): Row {
    let table = this.#tables.get(by)
    if (table === undefined) {
      table = new BoundedTable(this.#maxRows, (key, process) => new Row(by, key, process))
      this.#tables.set(by, table)
    }
    return process === undefined ? table.otherOf(key.code) : table.of(key, process)
  }

  /** @param isOwned true to hand the part over to the row: no other row merges it afterwards */
  add(row: Row, part: Tally, isOwned: boolean): void {
    if (isOwned) row.take(part)
    else row.merge(part)
    if (row.isChanged) return
    row.isChanged = true
    this.#changed.push(row)
  }

  /**
   * The rows to publish, with their next revision: those that changed, or all of them when the window closes.
   * @param closes true once
   */
  publish(closes: boolean): readonly Row[] {
    const rows = closes ? [...this.#tables.values()].flatMap(({ entries }) => entries) : this.#changed
    if (closes) this.#isClosed = true
    this.#changed = []
    for (const row of rows) {
      row.isChanged = false
      row.revision++
    }
    return rows
  }
}
