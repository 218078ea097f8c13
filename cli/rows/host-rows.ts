// Rows of the topic hosts: one for each host and second.
import { formatCount } from '../../runtime/format-number.ts'
import { decode } from '../../wire/codec.ts'
import { type HostRow, hostRow } from '../../wire/row.ts'
import { clockTime, everyField, type RowTopic } from './row-topic.ts'

const sumOf = (counts: readonly { readonly count: number }[]): number =>
  counts.reduce((sum, { count }) => sum + count, 0)

export const hosts: RowTopic<HostRow> = {
  fields: everyField<HostRow>({
    host: true,
    boot: true,
    run: true,
    agent: true,
    window_start: true,
    window_ms: true,
    watermark: true,
    read: true,
    final: true,
    events: true,
    counted: true,
    late: true,
    outside: true,
    rows: true,
    others: true,
    drops: true,
    classes: true,
    steps: true,
    process_events: true,
    bound_steps: true,
    limited_processes: true
  }),
  rowsOf: (value) => [hostRow(decode('HostStatus', value))],
  columns: [
    { title: 'second (UTC)', minWidth: 12, cell: (row) => clockTime(row.window_start) },
    { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
    { title: 'emitted', minWidth: 8, align: 'right', cell: (row) => formatCount(row.events) },
    { title: 'counted', minWidth: 8, align: 'right', cell: (row) => formatCount(row.counted) },
    { title: 'dropped', minWidth: 7, align: 'right', cell: (row) => formatCount(sumOf(row.drops)) },
    { title: 'late', minWidth: 6, align: 'right', cell: (row) => formatCount(row.late) },
    { title: 'keys', minWidth: 6, align: 'right', cell: (row) => formatCount(row.rows) },
    { title: 'other', minWidth: 6, align: 'right', cell: (row) => formatCount(row.others) }
  ]
}
