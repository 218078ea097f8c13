// One event of a batch → an AuditRecord: flat, with its process, socket and stack. A field that does not apply is null.
import { RingsideError } from '../runtime/errors.ts'
import { addressText, cidText } from './address.ts'
import { bytesMoved } from './bytes-moved.ts'
import { errnoName } from './errno.ts'
import { familyName, isInet, isVsock, protocolName, socketTypeName } from './socket-names.ts'
import type { AuditRecord, Event, EventBatch, EventKind, Process, Socket, Stack } from './types.ts'
import { verdictOfEvent } from './verdict.ts'

const kindsWithResult: ReadonlySet<EventKind> = new Set(['syscall', 'connect_outcome', 'io_uring_outcome'])
const kindsOfOthers: ReadonlySet<EventKind> = new Set(['io_uring_outcome', 'messages'])

/** The name of an event's error. The exit status of a process is none. */
export const eventErrno = (kind: EventKind, ret: number): string | null =>
  kindsWithResult.has(kind) ? errnoName(ret) : null

/** The result of an event; null: its result is in another event. */
export const eventRet = ({ kind, ret }: Pick<Event, 'kind' | 'ret'>): number | null =>
  kind === 'io_uring' || kind === 'messages' ? null : ret

/** The call that an event is; null for an event that says more of another one, so that no call counts twice. */
const callOf = ({ kind, call, syscall }: Event): string | null => {
  if (kindsOfOthers.has(kind)) return null
  return call ?? (syscall === 'none' ? null : syscall)
}

const bytesOf = ({ kind, call, syscall, bytes, ret }: Event): number | null => {
  if (bytes >= 0) return bytes
  return kind === 'syscall' ? bytesMoved(call ?? syscall, ret) : null
}

const isUnspecified = (address: Uint8Array, port: number): boolean => port === 0 && address.every((byte) => byte === 0)

type Endpoints = Pick<
  AuditRecord,
  'family' | 'socket_type' | 'protocol' | 'local_address' | 'local_port' | 'remote_address' | 'remote_port' | 'netns'
>

const noSocket: Endpoints = {
  family: null,
  socket_type: null,
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
  const named = {
    family: familyName(family),
    socket_type: socketTypeName(socket.type),
    protocol: protocolName(family, socket.protocol),
    netns
  }
  if (isVsock(family)) {
    const local_address = cidText(socket.local_address, socket.local_port)
    const remote_address = cidText(socket.remote_address, socket.remote_port)
    return {
      ...{ ...named, local_address, remote_address },
      local_port: local_address === null ? null : socket.local_port,
      remote_port: remote_address === null ? null : socket.remote_port
    }
  }
  if (!isInet(family)) return { ...noSocket, ...named }
  const hasNoLocal = isUnspecified(socket.local_address, socket.local_port)
  const hasNoRemote = isUnspecified(socket.remote_address, socket.remote_port)
  return {
    ...named,
    local_address: hasNoLocal ? null : addressText(socket.local_address),
    local_port: hasNoLocal ? null : socket.local_port,
    remote_address: hasNoRemote ? null : addressText(socket.remote_address),
    remote_port: hasNoRemote ? null : socket.remote_port
  }
}

const goLocationOf = (stack: Stack | undefined): Pick<AuditRecord, 'go_function' | 'go_file' | 'go_line'> => ({
  go_function: stack?.go_function ?? null,
  go_file: stack?.go_file ?? null,
  go_line: stack === undefined || stack.go_line === 0 ? null : stack.go_line
})

const processOf = (batch: EventBatch, event: Event): Process => {
  const process = batch.processes[event.process]
  if (process !== undefined) return process
  const where = `batch ${batch.batch} of ${batch.host} (run ${batch.run})`
  const why = `has ${batch.processes.length} processes, but an event of process ${event.process}`
  throw new RingsideError('DATA', `${where} ${why}`)
}

/**
 * @param event one of batch.events, of any class
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
    syscall: callOf(event),
    pid: process.pid,
    tid: event.tid,
    ppid: process.ppid,
    start_us: process.start_us,
    comm: process.comm,
    exe: process.exe,
    uid: process.uid,
    container_id: process.container_id,
    ret: eventRet(event),
    errno: eventErrno(event.kind, event.ret),
    duration_ns: event.duration_ns,
    fd: event.fd < 0 ? null : event.fd,
    bytes: bytesOf(event),
    path: event.path,
    path_to: event.path_to,
    arg: event.arg < 0 ? null : event.arg,
    target_pid: event.target_pid < 0 ? null : event.target_pid,
    ...endpointsOf(batch.sockets[event.socket]),
    ...goLocationOf(batch.stacks[event.stack]),
    verdict: verdictOfEvent(event),
    euid: process.euid < 0 ? null : process.euid,
    path_truncated: event.path_truncated,
    path_opened: event.path_opened,
    path_given: event.path_given,
    address_given: event.address_given,
    argument_changed: event.argument_changed,
    call_cpu: event.call_seq < 0 ? null : event.call_cpu,
    call_seq: event.call_seq < 0 ? null : event.call_seq,
    creator_pid: process.creator_pid < 0 ? null : process.creator_pid,
    creator_start_us: process.creator_pid < 0 ? null : process.creator_start_us,
    path_deleted: event.path_deleted,
    entered: event.entered,
    messages: event.messages < 0 ? null : event.messages,
    target_given: event.target_given < 0 ? null : event.target_given,
    resolve: event.resolve < 0 ? null : event.resolve,
    registered_file: event.registered_file < 0 ? null : event.registered_file
  }
}
