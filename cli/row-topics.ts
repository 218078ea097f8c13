// The topics that people read as rows: how a message becomes rows, what their fields are called,
// and which of them a terminal shows.

import { basename } from 'node:path'
import { formatCount, formatNanoseconds } from '../runtime/format-number.ts'
import { decode } from '../wire/codec.ts'
import {
  type AlertRow,
  type AuditRow,
  alertRow,
  auditRow,
  type EventRow,
  eventRow,
  type HostRow,
  hostRow,
  type RollupRow,
  rollupRow
} from '../wire/row.ts'
import type { Column } from './table.ts'

export const rowTopicNames = ['events', 'rollups', 'hosts', 'alerts', 'audit'] as const
export type RowTopicName = (typeof rowTopicNames)[number]

interface ShownColumn<R> extends Column {
  cell(row: R): string
}

interface RowTopic<R> {
  /** Every name that --where may use, in the order of the JSON. */
  readonly fields: readonly (keyof R & string)[]
  /** @throws RingsideError DATA when the message is not one of this topic's records */
  rowsOf(value: Buffer): R[]
  readonly columns: readonly ShownColumn<R>[]
}

/** Reads a topic's messages as text and fields, whatever its rows are. */
export interface RowReader {
  readonly fields: readonly string[]
  readonly columns: readonly Column[]
  rowsOf(value: Buffer): object[]
  cells(row: object): string[]
}

/** An array of every key of R: the compiler refuses one that is short or has a name too many. */
const everyField = <R>(fields: Readonly<Record<keyof R & string, true>>): (keyof R & string)[] =>
  Object.keys(fields) as (keyof R & string)[]

/** 2026-01-31T12:00:00.123456789Z → 12:00:00.123 */
const clockTime = (iso: string): string => iso.slice(11, 23)

const eventFields: Readonly<Record<keyof EventRow, true>> = {
  time: true,
  host: true,
  kind: true,
  pid: true,
  tid: true,
  ppid: true,
  comm: true,
  exe: true,
  uid: true,
  container_id: true,
  syscall: true,
  ret: true,
  errno: true,
  duration_ns: true,
  fd: true,
  bytes: true,
  path: true,
  path_to: true,
  arg: true,
  target_pid: true,
  family: true,
  protocol: true,
  local_address: true,
  local_port: true,
  remote_address: true,
  remote_port: true,
  go_function: true,
  go_file: true,
  go_line: true,
  cpu: true,
  seq: true
}

const endpoint = (address: string | null, port: number | null): string => {
  if (address === null) return '*'
  return address.includes(':') ? `[${address}]:${port ?? '*'}` : `${address}:${port ?? '*'}`
}

/** What the call was about: a path, or the two ends of a connection; and who made it. */
const subjectOf = (row: EventRow): string => {
  const parts: string[] = []
  if (row.local_address !== null || row.remote_address !== null) {
    const [local, remote] = [endpoint(row.local_address, row.local_port), endpoint(row.remote_address, row.remote_port)]
    parts.push(`${row.protocol ?? row.family ?? ''} ${local} → ${remote}`.trim())
  }
  if (row.path !== null) parts.push(row.path_to === null ? row.path : `${row.path} → ${row.path_to}`)
  if (row.target_pid !== null) parts.push(`pid ${row.target_pid}`)
  if (parts.length === 0 && row.fd !== null) parts.push(`fd ${row.fd}`)
  if (row.go_function !== null) parts.push(`in ${row.go_function}`)
  return parts.join(' ')
}

/** What io_uring was asked for has a call's name as well. */
const callOf = (row: EventRow): string =>
  row.kind === 'syscall' || row.kind === 'io_uring' ? (row.syscall ?? '') : row.kind

/** Of a request to io_uring nobody knows. */
const resultOf = (row: EventRow): string => (row.kind === 'io_uring' ? '' : (row.errno ?? String(row.ret)))

/** An exec or a fork is a moment. */
const took = (row: EventRow): string => (row.duration_ns === 0 ? '' : formatNanoseconds(row.duration_ns))

const eventColumns: readonly ShownColumn<EventRow>[] = [
  { title: 'time (UTC)', minWidth: 12, cell: (row) => clockTime(row.time) },
  { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
  { title: 'pid', minWidth: 7, align: 'right', cell: (row) => String(row.pid) },
  { title: 'comm', minWidth: 15, cell: (row) => row.comm },
  { title: 'call', minWidth: 12, cell: callOf },
  { title: 'result', minWidth: 12, align: 'right', cell: resultOf },
  { title: 'took', minWidth: 6, align: 'right', cell: took },
  { title: 'what', cell: subjectOf }
]

const events: RowTopic<EventRow> = {
  fields: everyField<EventRow>(eventFields),
  rowsOf: (value) => {
    const batch = decode('EventBatch', value)
    return batch.events.map((event) => eventRow(batch, event))
  },
  columns: eventColumns
}

const audit: RowTopic<AuditRow> = {
  fields: everyField<AuditRow>({ ...eventFields, netns: true, start_us: true, boot: true }),
  rowsOf: (value) => [auditRow(decode('AuditRecord', value))],
  columns: eventColumns
}

/** As short as it is told apart: a program's name, the beginning of a container's id. */
const whoOf = ({ by, comm, container_id, go_function, workload }: RollupRow): string => {
  if (by === 'process') return comm
  if (go_function !== null) return go_function
  return container_id === null ? basename(workload) : container_id.slice(0, 12)
}

const rollups: RowTopic<RollupRow> = {
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
    errors: true,
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
    { title: 'of', minWidth: 3, align: 'right', cell: (row) => `${row.window_ms / 1000}s` },
    { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
    { title: 'by', minWidth: 8, cell: (row) => (row.by === 'go_function' ? 'function' : row.by) },
    { title: 'pid', minWidth: 7, align: 'right', cell: (row) => (row.pid === 0 ? '' : String(row.pid)) },
    { title: 'who', minWidth: 15, flexible: true, cell: whoOf },
    { title: 'call', minWidth: 9, cell: (row) => row.syscall },
    { title: 'count', minWidth: 8, align: 'right', cell: (row) => formatCount(row.count) },
    { title: 'errors', minWidth: 6, align: 'right', cell: (row) => formatCount(row.errors) },
    { title: 'p50', minWidth: 6, align: 'right', cell: (row) => formatNanoseconds(row.p50_ns) },
    { title: 'p95', minWidth: 6, align: 'right', cell: (row) => formatNanoseconds(row.p95_ns) },
    { title: 'p99', minWidth: 6, align: 'right', cell: (row) => formatNanoseconds(row.p99_ns) }
  ]
}

const sumOf = (counts: readonly { readonly count: number }[]): number =>
  counts.reduce((sum, { count }) => sum + count, 0)

const hosts: RowTopic<HostRow> = {
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
    steps: true
  }),
  rowsOf: (value) => [hostRow(decode('HostStatus', value))],
  columns: [
    { title: 'second (UTC)', minWidth: 12, cell: (row) => clockTime(row.window_start) },
    { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
    { title: 'told', minWidth: 8, align: 'right', cell: (row) => formatCount(row.events) },
    { title: 'counted', minWidth: 8, align: 'right', cell: (row) => formatCount(row.counted) },
    { title: 'lost', minWidth: 6, align: 'right', cell: (row) => formatCount(sumOf(row.drops)) },
    { title: 'late', minWidth: 6, align: 'right', cell: (row) => formatCount(row.late) },
    { title: 'keys', minWidth: 6, align: 'right', cell: (row) => formatCount(row.rows) },
    { title: 'other', minWidth: 6, align: 'right', cell: (row) => formatCount(row.others) }
  ]
}

const alerts: RowTopic<AlertRow> = {
  fields: everyField<AlertRow>({
    id: true,
    revision: true,
    rule: true,
    rule_version: true,
    title: true,
    attack: true,
    severity: true,
    host: true,
    entity: true,
    workload: true,
    exe: true,
    comm: true,
    pid: true,
    first_seen: true,
    last_seen: true,
    count: true,
    explanation: true,
    reasons: true,
    evidence: true,
    lost_events: true
  }),
  rowsOf: (value) => [alertRow(decode('Alert', value))],
  columns: [
    { title: 'last (UTC)', minWidth: 12, cell: (row) => clockTime(row.last_seen) },
    { title: 'severity', minWidth: 8, cell: (row) => row.severity },
    { title: 'rule', minWidth: 22, cell: (row) => row.rule },
    { title: 'count', minWidth: 6, align: 'right', cell: (row) => formatCount(row.count) },
    { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
    { title: 'pid', minWidth: 7, align: 'right', cell: (row) => String(row.pid) },
    { title: 'what', cell: (row) => row.explanation }
  ]
}

// A reader gives its rows only back to itself, so the row's type need not show.
const readerOf = <R extends object>(topic: RowTopic<R>): RowReader => ({
  fields: topic.fields,
  columns: topic.columns,
  rowsOf: (value) => topic.rowsOf(value),
  cells: (row) => topic.columns.map((column) => column.cell(row as R))
})

export const rowReaders: Readonly<Record<RowTopicName, RowReader>> = {
  events: readerOf(events),
  rollups: readerOf(rollups),
  hosts: readerOf(hosts),
  alerts: readerOf(alerts),
  audit: readerOf(audit)
}
