// Columns cut to the number of their rows, for comparison: the arrays of a decoder are longer.
import type { BucketColumns, ColumnBatch } from '../../wire/columns.ts'

type Columns = ColumnBatch['events'] | ColumnBatch['summaries']

const trimRows = <Rows extends Columns>(rows: Rows): Rows =>
  Object.fromEntries(
    Object.entries(rows).map(([name, column]) => [
      name,
      typeof column === 'object' && 'slice' in column ? column.slice(0, rows.length) : column
    ])
  ) as Rows

const trimBuckets = ({ begin, index, count }: BucketColumns, rows: number): BucketColumns => {
  const end = begin[rows] as number
  return { begin: begin.slice(0, rows + 1), index: index.slice(0, end), count: count.slice(0, end) }
}

export const trimmed = ({ events, summaries, ...rest }: ColumnBatch): ColumnBatch => ({
  ...rest,
  events: trimRows(events),
  summaries: {
    ...trimRows(summaries),
    latency: trimBuckets(summaries.latency, summaries.length),
    errnos: trimBuckets(summaries.errnos, summaries.length)
  }
})
