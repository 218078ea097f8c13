// A topic whose messages become rows: fields in the order of the JSON, and columns of the table.
import type { Column } from '../terminal/table.ts'

export interface ShownColumn<R> extends Column {
  cell(row: R): string
}

export interface RowTopic<R> {
  /** Every name that --where may use, in the order of the JSON. */
  readonly fields: readonly (keyof R & string)[]
  /** @throws RingsideError DATA when the message is not a record of this topic */
  rowsOf(value: Buffer): R[]
  readonly columns: readonly ShownColumn<R>[]
}

/** Every key of R; the compiler refuses a missing and an unknown one. */
export const everyField = <R>(fields: Readonly<Record<keyof R & string, true>>): (keyof R & string)[] =>
  Object.keys(fields) as (keyof R & string)[]

/** 2026-01-31T12:00:00.123456789Z → 12:00:00.123 */
export const clockTime = (iso: string): string => iso.slice(11, 23)
