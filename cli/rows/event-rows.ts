// Rows of the topics events and audit: one for each event.
import { formatNanoseconds } from '../../runtime/format-number.ts'
import { decode } from '../../wire/codec.ts'
import { pathText } from '../../wire/path-text.ts'
import { type AuditRow, auditRow, type EventRow, eventRow } from '../../wire/row.ts'
import { clockTime, everyField, type RowTopic, type ShownColumn } from './row-topic.ts'

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
  euid: true,
  container_id: true,
  syscall: true,
  ret: true,
  verdict: true,
  errno: true,
  entered: true,
  duration_ns: true,
  fd: true,
  bytes: true,
  messages: true,
  path: true,
  path_to: true,
  path_given: true,
  path_opened: true,
  path_truncated: true,
  path_deleted: true,
  arg: true,
  flags: true,
  request: true,
  target_pid: true,
  target_given: true,
  resolve: true,
  registered_file: true,
  family: true,
  socket_type: true,
  protocol: true,
  local_address: true,
  local_port: true,
  remote_address: true,
  remote_port: true,
  address_given: true,
  argument_changed: true,
  netns: true,
  go_function: true,
  go_file: true,
  go_line: true,
  cpu: true,
  seq: true,
  call_cpu: true,
  call_seq: true
}

const endpoint = (address: string | null, port: number | null): string => {
  if (address === null) return '*'
  return address.includes(':') ? `[${address}]:${port ?? '*'}` : `${address}:${port ?? '*'}`
}

const addressesOf = (row: EventRow): string | null => {
  if (row.local_address === null && row.remote_address === null) return null
  const [local, remote] = [endpoint(row.local_address, row.local_port), endpoint(row.remote_address, row.remote_port)]
  return `${row.protocol ?? row.family ?? ''} ${local} → ${remote}`.trim()
}

/** The kind of a socket that has neither address nor path. */
const socketOf = (row: EventRow): string | null =>
  row.family === null || row.path !== null || row.local_address !== null || row.remote_address !== null
    ? null
    : [row.family, row.socket_type, row.protocol].filter((name) => name !== null).join(' ')

/** The call's path, addresses, flags, target process or descriptor, and the Go function that made it. */
const detailsOf = (row: EventRow): string => {
  const said = [addressesOf(row), pathText(row), row.flags, row.request, socketOf(row)]
  const parts = said.filter((part) => part !== null)
  if (row.argument_changed) parts.push('(address rewritten during the call)')
  if (row.target_pid !== null) parts.push(`pid ${row.target_pid}`)
  if (parts.length === 0 && row.fd !== null) parts.push(`fd ${row.fd}`)
  if (row.go_function !== null) parts.push(`in ${row.go_function}`)
  return parts.join(' ')
}

/** An io_uring request has a call's name, too. */
const callOf = (row: EventRow): string =>
  row.kind === 'syscall' || row.kind === 'io_uring' ? (row.syscall ?? '') : row.kind

const resultOf = (row: EventRow): string => row.errno ?? (row.ret === null ? '' : String(row.ret))

/** Exec, fork and exit have no duration. */
const durationOf = (row: EventRow): string => (row.duration_ns === 0 ? '' : formatNanoseconds(row.duration_ns))

const eventColumns: readonly ShownColumn<EventRow>[] = [
  { title: 'time (UTC)', minWidth: 12, cell: (row) => clockTime(row.time) },
  { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
  { title: 'pid', minWidth: 7, align: 'right', cell: (row) => String(row.pid) },
  { title: 'comm', minWidth: 15, cell: (row) => row.comm },
  { title: 'call', minWidth: 12, cell: callOf },
  { title: 'result', minWidth: 12, align: 'right', cell: resultOf },
  { title: 'duration', minWidth: 8, align: 'right', cell: durationOf },
  { title: 'details', cell: detailsOf }
]

export const events: RowTopic<EventRow> = {
  fields: everyField<EventRow>(eventFields),
  rowsOf: (value) => {
    const batch = decode('EventBatch', value)
    return batch.events.map((event) => eventRow(batch, event))
  },
  columns: eventColumns
}

export const audit: RowTopic<AuditRow> = {
  fields: everyField<AuditRow>({
    ...eventFields,
    start_us: true,
    boot: true,
    creator_pid: true,
    creator_start_us: true
  }),
  rowsOf: (value) => [auditRow(decode('AuditRecord', value))],
  columns: eventColumns
}
