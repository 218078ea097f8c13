// Records of the wire to rows for people: flat, with the names of fields that `tail`, `query` and the
// audit log share, times as ISO 8601 in UTC. What does not apply to an event is null.
import { RingsideError } from '../runtime/errors.ts'
import { addressText, familyName, isInet, protocolName } from './address.ts'
import { bytesMoved } from './bytes-moved.ts'
import { errnoName } from './errno.ts'
import type {
  Alert,
  AuditRecord,
  Event,
  EventBatch,
  EventKind,
  HostStatus,
  Process,
  Rollup,
  Socket,
  Stack
} from './types.ts'

/** An event with everything that its batch holds about it. */
export interface EventRow {
  /** With nanoseconds: 2026-01-31T12:00:00.123456789Z. */
  time: string
  host: string
  kind: string
  pid: number
  tid: number
  ppid: number
  comm: string
  exe: string | null
  uid: number
  container_id: string | null
  syscall: string | null
  ret: number
  errno: string | null
  duration_ns: number
  fd: number | null
  bytes: number | null
  path: string | null
  path_to: string | null
  arg: number | null
  target_pid: number | null
  family: string | null
  protocol: string | null
  local_address: string | null
  local_port: number | null
  remote_address: string | null
  remote_port: number | null
  go_function: string | null
  go_file: string | null
  go_line: number | null
  cpu: number
  seq: number
}

export type RollupRow = Omit<Rollup, 'window_start'> & { window_start: string }
export type HostRow = Omit<HostStatus, 'window_start' | 'watermark' | 'read'> & {
  window_start: string
  watermark: string
  read: string
}
export type AlertRow = Omit<Alert, 'first_seen' | 'last_seen'> & { first_seen: string; last_seen: string }
export type AuditRow = EventRow & Pick<AuditRecord, 'netns' | 'start_us' | 'boot'>

/** Microseconds since the epoch to ISO 8601, with the given nanoseconds beyond them or without. */
const isoTime = (timeUs: number, nanoseconds?: number): string => {
  const iso = new Date(Math.floor(timeUs / 1000)).toISOString()
  const us = String(((timeUs % 1000) + 1000) % 1000).padStart(3, '0')
  const ns = nanoseconds === undefined ? '' : String(nanoseconds).padStart(3, '0')
  return `${iso.slice(0, -1)}${us}${ns}Z`
}

/** The name of the error an event ended with; what a process exits with is no error of the kernel's. */
export const eventErrno = (kind: EventKind, ret: number): string | null =>
  kind === 'syscall' || kind === 'socket_state' ? errnoName(ret) : null

const isUnspecified = (address: Uint8Array, port: number): boolean => port === 0 && address.every((byte) => byte === 0)

type Endpoints = Pick<
  AuditRecord,
  'family' | 'protocol' | 'local_address' | 'local_port' | 'remote_address' | 'remote_port' | 'netns'
>

const noSocket: Endpoints = {
  family: null,
  protocol: null,
  local_address: null,
  local_port: null,
  remote_address: null,
  remote_port: null,
  netns: null
}

const endpointsOf = (socket: Socket | undefined): Endpoints => {
  if (socket === undefined) return noSocket
  const { family, netns } = socket
  if (!isInet(family)) return { ...noSocket, family: familyName(family), netns }
  const local = isUnspecified(socket.local_address, socket.local_port)
  const remote = isUnspecified(socket.remote_address, socket.remote_port)
  return {
    family: familyName(family),
    protocol: protocolName(socket.protocol),
    local_address: local ? null : addressText(socket.local_address),
    local_port: local ? null : socket.local_port,
    remote_address: remote ? null : addressText(socket.remote_address),
    remote_port: remote ? null : socket.remote_port,
    netns
  }
}

type Place = Pick<AuditRecord, 'go_function' | 'go_file' | 'go_line'>

const placeOf = (stack: Stack | undefined): Place => ({
  go_function: stack?.go_function ?? null,
  go_file: stack?.go_file ?? null,
  go_line: stack === undefined || stack.go_line === 0 ? null : stack.go_line
})

/** @throws RingsideError DATA when the batch lacks the event's process */
const processOf = (batch: EventBatch, event: Event): Process => {
  const process = batch.processes[event.process]
  if (process !== undefined) return process
  const row = `batch ${batch.batch} of ${batch.host} (run ${batch.run})`
  throw new RingsideError(
    'DATA',
    `${row} has ${batch.processes.length} processes, but an event of process ${event.process}`
  )
}

/**
 * One event of a batch as a row of the audit log, whatever its class.
 * @param event one of batch.events
 * @throws RingsideError DATA when the batch lacks the event's process
 */
export const auditRecordOf = (batch: EventBatch, event: Event): AuditRecord => {
  const process = processOf(batch, event)
  const offsetUs = Math.floor(event.time_offset_ns / 1000)
  return {
    time: batch.clock.wall_us + offsetUs,
    time_ns: event.time_offset_ns - offsetUs * 1000,
    host: batch.host,
    boot: batch.boot,
    cpu: event.cpu,
    seq: event.seq,
    kind: event.kind,
    syscall: event.call ?? (event.syscall === 'none' ? null : event.syscall),
    pid: process.pid,
    tid: event.tid,
    ppid: process.ppid,
    start_us: process.start_us,
    comm: process.comm,
    exe: process.exe,
    uid: process.uid,
    container_id: process.container_id,
    ret: event.ret,
    errno: eventErrno(event.kind, event.ret),
    duration_ns: event.duration_ns,
    fd: event.fd < 0 ? null : event.fd,
    bytes: event.kind === 'syscall' ? bytesMoved(event.call ?? event.syscall, event.ret) : null,
    path: event.path,
    path_to: event.path_to,
    arg: event.arg < 0 ? null : event.arg,
    target_pid: event.target_pid < 0 ? null : event.target_pid,
    ...endpointsOf(batch.sockets[event.socket]),
    ...placeOf(batch.stacks[event.stack])
  }
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
  container_id: record.container_id,
  syscall: record.syscall,
  ret: record.ret,
  errno: record.errno,
  duration_ns: record.duration_ns,
  fd: record.fd,
  bytes: record.bytes,
  path: record.path,
  path_to: record.path_to,
  arg: record.arg,
  target_pid: record.target_pid,
  family: record.family,
  protocol: record.protocol,
  local_address: record.local_address,
  local_port: record.local_port,
  remote_address: record.remote_address,
  remote_port: record.remote_port,
  go_function: record.go_function,
  go_file: record.go_file,
  go_line: record.go_line,
  cpu: record.cpu,
  seq: record.seq
})

/** One event of a batch for `tail events`; event is one of batch.events. */
export const eventRow = (batch: EventBatch, event: Event): EventRow => eventRowOf(auditRecordOf(batch, event))

/** A record of the audit topic for people: an event's row, and what names the event and its process for ever. */
export const auditRow = (record: AuditRecord): AuditRow => ({
  ...eventRowOf(record),
  netns: record.netns,
  start_us: record.start_us,
  boot: record.boot
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
