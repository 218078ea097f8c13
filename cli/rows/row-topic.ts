// How a topic's messages become rows: their fields, in the order of the JSON, and the columns of a table.
import type { Column } from '../terminal/table.ts'

export interface ShownColumn<R> extends Column {
  cell(row: R): string
}

export interface RowTopic<R> {
  /** Every name that --where may use, in the order of the JSON. */
  readonly fields: readonly (keyof R & string)[]
  /** @throws RingsideError DATA when the message is not one of this topic's records */
  rowsOf(value: Buffer): R[]
  readonly columns: readonly ShownColumn<R>[]
}

/** An array of every key of R: the compiler refuses one that is short or has a name too many. */
export const everyField = <R>(fields: Readonly<Record<keyof R & string, true>>): (keyof R & string)[] =>
  Object.keys(fields) as (keyof R & string)[]

/** 2026-01-31T12:00:00.123456789Z → 12:00:00.123 */
export const clockTime = (iso: string): string => iso.slice(11, 23)
