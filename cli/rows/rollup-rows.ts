// Rows of the topic rollups: one for each message.
import { basename } from 'node:path'
import { formatCount, formatNanoseconds } from '../../runtime/format-number.ts'
import { decode } from '../../wire/codec.ts'
import { type RollupRow, rollupRow } from '../../wire/row.ts'
import { clockTime, everyField, type RowTopic } from './row-topic.ts'

/** Thread name, Go function, start of the container id, or the executable's file name. */
const nameOf = ({ by, comm, container_id, go_function, workload }: RollupRow): string => {
  if (by === 'process') return comm
  if (go_function !== null) return go_function
  return container_id === null ? basename(workload) : container_id.slice(0, 12)
}

export const rollups: RowTopic<RollupRow> = {
  fields: everyField<RollupRow>({
    host: true,
    workload: true,
    pid: true,
    start_us: true,
    comm: true,
    exe: true,
    container_id: true,
    syscall: true,
    window_start: true,
    window_ms: true,
    revision: true,
    count: true,
    failed: true,
    expected: true,
    interrupted: true,
    bytes: true,
    total_ns: true,
    p50_ns: true,
    p95_ns: true,
    p99_ns: true,
    max_ns: true,
    by: true,
    go_function: true,
    other: true,
    complete: true,
    rate: true,
    rate_ewma: true,
    p90_ns: true,
    p999_ns: true,
    latency: true,
    errnos: true
  }),
  rowsOf: (value) => [rollupRow(decode('Rollup', value))],
  columns: [
    { title: 'window (UTC)', minWidth: 12, cell: (row) => clockTime(row.window_start) },
    { title: 'length', minWidth: 6, align: 'right', cell: (row) => `${row.window_ms / 1000}s` },
    { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
    { title: 'by', minWidth: 8, cell: (row) => (row.by === 'go_function' ? 'function' : row.by) },
    { title: 'pid', minWidth: 7, align: 'right', cell: (row) => (row.pid === 0 ? '' : String(row.pid)) },
    { title: 'name', minWidth: 15, flexible: true, cell: nameOf },
    { title: 'call', minWidth: 9, cell: (row) => row.syscall },
    { title: 'count', minWidth: 8, align: 'right', cell: (row) => formatCount(row.count) },
    { title: 'failed', minWidth: 6, align: 'right', cell: (row) => formatCount(row.failed) },
    { title: 'expected', minWidth: 6, align: 'right', cell: (row) => formatCount(row.expected) },
    { title: 'p50', minWidth: 6, align: 'right', cell: (row) => formatNanoseconds(row.p50_ns) },
    { title: 'p95', minWidth: 6, align: 'right', cell: (row) => formatNanoseconds(row.p95_ns) },
    { title: 'p99', minWidth: 6, align: 'right', cell: (row) => formatNanoseconds(row.p99_ns) }
  ]
}
