// Removes rows from the columns of a batch, in place.
import type { BucketColumns, ColumnBatch } from '../../wire/columns.ts'

type Column = Uint8Array | Int32Array | Float64Array

const keep = (columns: readonly Column[], rows: readonly number[]): void => {
  for (const column of columns) for (const [to, from] of rows.entries()) column[to] = column[from] as number
}

const keepBuckets = ({ begin, index, count }: BucketColumns, rows: readonly number[]): void => {
  let end = 0
  for (const [to, from] of rows.entries()) {
    const last = begin[from + 1] as number
    for (let at = begin[from] as number; at < last; at++, end++) {
      index[end] = index[at] as number
      count[end] = count[at] as number
    }
    begin[to + 1] = end
  }
}

/** @param rows indexes of the rows to keep, ascending */
export const keepColumns = (
  { events, summaries }: ColumnBatch,
  rows: { readonly events: readonly number[]; readonly summaries: readonly number[] }
): void => {
  const { length: _, ...eventColumns } = events
  keep(Object.values(eventColumns), rows.events)
  events.length = rows.events.length
  const { length: __, latency, errnos, ...summaryColumns } = summaries
  keep(Object.values(summaryColumns), rows.summaries)
  summaries.length = rows.summaries.length
  keepBuckets(latency, rows.summaries)
  keepBuckets(errnos, rows.summaries)
}
