// Records of the wire → rows for people: the fields that `tail`, audit search and queries share, times as ISO 8601 in UTC.
import { flagNames, requestName } from './argument-names.ts'
import { auditRecordOf } from './audit-record.ts'
import type { Alert, AuditRecord, Event, EventBatch, HostStatus, Rollup } from './types.ts'

/** One event with its process, socket and stack; null where a field does not apply. */
export interface EventRow {
  /** To the nanosecond: 2026-01-31T12:00:00.123456789Z. */
  time: string
  host: string
  kind: string
  pid: number
  tid: number
  ppid: number
  comm: string
  exe: string | null
  uid: number
  euid: number | null
  container_id: string | null
  syscall: string | null
  /** null for a request to io_uring, whose result is in its outcome, and for messages. */
  ret: number | null
  /** Meaning of the result: ok, failed, expected, interrupted, unknown. */
  verdict: string
  errno: string | null
  /** False: a seccomp filter or a tracer gave the result, and the kernel did not begin the call. */
  entered: boolean
  duration_ns: number
  fd: number | null
  bytes: number | null
  messages: number | null
  path: string | null
  path_to: string | null
  path_given: string | null
  path_opened: boolean
  path_truncated: boolean
  path_deleted: boolean
  arg: number | null
  /** Names of the flags in arg. */
  flags: string | null
  /** Name of the ptrace request in arg. */
  request: string | null
  target_pid: number | null
  target_given: number | null
  resolve: number | null
  registered_file: number | null
  family: string | null
  socket_type: string | null
  protocol: string | null
  local_address: string | null
  local_port: number | null
  remote_address: string | null
  remote_port: number | null
  address_given: boolean
  argument_changed: boolean
  netns: number | null
  go_function: string | null
  go_file: string | null
  go_line: number | null
  cpu: number
  seq: number
  call_cpu: number | null
  call_seq: number | null
}

export type RollupRow = Omit<Rollup, 'window_start'> & { window_start: string }
export type HostRow = Omit<HostStatus, 'window_start' | 'watermark' | 'read'> & {
  window_start: string
  watermark: string
  read: string
}
export type AlertRow = Omit<Alert, 'first_seen' | 'last_seen'> & { first_seen: string; last_seen: string }
export type AuditRow = EventRow & Pick<AuditRecord, 'start_us' | 'boot' | 'creator_pid' | 'creator_start_us'>

/** ISO 8601 to the microsecond, or with `nanoseconds` (0 to 999) to the nanosecond. */
const isoTime = (timeUs: number, nanoseconds?: number): string => {
  const iso = new Date(Math.floor(timeUs / 1000)).toISOString()
  const us = String(((timeUs % 1000) + 1000) % 1000).padStart(3, '0')
  const ns = nanoseconds === undefined ? '' : String(nanoseconds).padStart(3, '0')
  return `${iso.slice(0, -1)}${us}${ns}Z`
}

const eventRowOf = (record: AuditRecord): EventRow => ({
  time: isoTime(record.time, record.time_ns),
  host: record.host,
  kind: record.kind,
  pid: record.pid,
  tid: record.tid,
  ppid: record.ppid,
  comm: record.comm,
  exe: record.exe,
  uid: record.uid,
  euid: record.euid,
  container_id: record.container_id,
  syscall: record.syscall,
  ret: record.ret,
  verdict: record.verdict,
  errno: record.errno,
  entered: record.entered,
  duration_ns: record.duration_ns,
  fd: record.fd,
  bytes: record.bytes,
  messages: record.messages,
  path: record.path,
  path_to: record.path_to,
  path_given: record.path_given,
  path_opened: record.path_opened,
  path_truncated: record.path_truncated,
  path_deleted: record.path_deleted,
  arg: record.arg,
  flags: flagNames(record.syscall, record.arg),
  request: requestName(record.syscall, record.arg),
  target_pid: record.target_pid,
  target_given: record.target_given,
  resolve: record.resolve,
  registered_file: record.registered_file,
  family: record.family,
  socket_type: record.socket_type,
  protocol: record.protocol,
  local_address: record.local_address,
  local_port: record.local_port,
  remote_address: record.remote_address,
  remote_port: record.remote_port,
  address_given: record.address_given,
  argument_changed: record.argument_changed,
  netns: record.netns,
  go_function: record.go_function,
  go_file: record.go_file,
  go_line: record.go_line,
  cpu: record.cpu,
  seq: record.seq,
  call_cpu: record.call_cpu,
  call_seq: record.call_seq
})

/** @param event one of batch.events */
export const eventRow = (batch: EventBatch, event: Event): EventRow => eventRowOf(auditRecordOf(batch, event))

/** An event's row, with the fields that identify the event and its process across reboots. */
export const auditRow = (record: AuditRecord): AuditRow => ({
  ...eventRowOf(record),
  start_us: record.start_us,
  boot: record.boot,
  creator_pid: record.creator_pid,
  creator_start_us: record.creator_start_us
})

export const rollupRow = (rollup: Rollup): RollupRow => ({ ...rollup, window_start: isoTime(rollup.window_start) })

export const hostRow = (status: HostStatus): HostRow => ({
  ...status,
  window_start: isoTime(status.window_start),
  watermark: isoTime(status.watermark),
  read: isoTime(status.read)
})

export const alertRow = (alert: Alert): AlertRow => ({
  ...alert,
  first_seen: isoTime(alert.first_seen),
  last_seen: isoTime(alert.last_seen)
})
