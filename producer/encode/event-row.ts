// Reads the fields of an event's row that come from its record alone; the batch adds the references to its tables.
import { eventFlag, eventField as field, knownCall, knownCalls, recordKind } from '../../bpf/event.ts'
import { eventKinds } from '../../wire/event-kind.ts'
import type { Event } from '../../wire/types.ts'
import { clampLong, nanosecondsBeyond } from '../source/numbers.ts'
import type { RawEvents } from '../source/raw-events.ts'

const callsWithArg = [
  ...['open', 'openat', 'openat2', 'creat', 'open_by_handle_at', 'unlinkat', 'mount', 'memfd_create', 'ptrace']
]
/** Calls whose record has a value in arg. */
const hasArg: readonly boolean[] = knownCalls.map((name) => callsWithArg.includes(name))

export const blankEvent = (): Event => ({
  kind: 'other',
  syscall: 'none',
  process: 0,
  socket: -1,
  cpu: 0,
  seq: 0,
  time_offset_ns: 0,
  duration_ns: 0,
  tid: 0,
  ret: 0,
  fd: -1,
  path: null,
  path_truncated: false,
  call: null,
  path_to: null,
  arg: -1,
  target_pid: -1,
  stack: -1,
  path_opened: false,
  path_given: null,
  address_given: false,
  argument_changed: false,
  call_cpu: -1,
  call_seq: -1,
  path_deleted: false,
  entered: true,
  bytes: -1,
  messages: -1,
  target_given: -1,
  resolve: -1,
  registered_file: -1
})

/** A request to io_uring, or its outcome. */
export const isUring = (kind: number): boolean => kind === recordKind.io_uring || kind === recordKind.io_uring_outcome

/**
 * Sets all fields of an event except process, socket, stack and call.
 * @param event its time_offset_ns becomes the nanoseconds beyond the record's whole microseconds
 * @param record offset of the event in raw
 */
export const readEvent = (event: Event, raw: RawEvents, record: number): void => {
  const kind = raw.u8(record + field.kind)
  const call = raw.u8(record + field.call)
  const flags = raw.u8(record + field.flags)
  // The second string of an exec or fork is the cgroup's path, which only the process table uses.
  const isNewProcess = kind === recordKind.exec || kind === recordKind.fork
  const extra = isNewProcess || raw.u16(record + field.extraSize) === 0 ? null : raw.extra(record)
  event.kind = eventKinds[kind] ?? 'other'
  event.syscall = knownCalls[call] ?? 'none'
  event.cpu = raw.u16(record + field.cpu)
  event.seq = clampLong(raw.u64(record + field.seq))
  event.time_offset_ns = nanosecondsBeyond(raw, record + field.timeNs)
  event.duration_ns = clampLong(raw.u64(record + field.durationNs))
  event.tid = raw.i32(record + field.tid)
  event.ret = clampLong(raw.i64(record + field.ret))
  event.fd = raw.i32(record + field.fd)
  event.path = raw.u16(record + field.pathSize) === 0 ? null : raw.path(record)
  event.path_truncated = (flags & eventFlag.pathTruncated) !== 0
  event.path_deleted = (flags & eventFlag.pathDeleted) !== 0
  event.path_opened = (flags & eventFlag.pathOpened) !== 0
  event.path_to = extra !== null && !event.path_opened ? extra : null
  event.path_given = extra !== null && event.path_opened && extra !== event.path ? extra : null
  event.address_given = (flags & eventFlag.addressGiven) !== 0
  event.argument_changed = (flags & eventFlag.argumentChanged) !== 0
  event.arg = hasArg[call] || isUring(kind) ? raw.u32(record + field.arg) : -1
  const reference = raw.i32(record + field.reference)
  const isPtrace = call === knownCall.ptrace
  event.target_pid = isPtrace ? reference : -1
  event.target_given = raw.i32(record + field.target)
  event.registered_file = isPtrace ? -1 : reference
  const hasCall = kind !== recordKind.fork && raw.u64(record + field.originId) > 0
  event.call_cpu = hasCall ? raw.i32(record + field.origin) : -1
  event.call_seq = hasCall ? clampLong(raw.u64(record + field.originId)) : -1
  event.entered = raw.u8(record + field.notEntered) === 0
  const amount = clampLong(raw.u64(record + field.amount))
  const messages = raw.u16(record + field.messages)
  event.bytes = messages === 0 ? -1 : amount
  event.messages = messages === 0 ? -1 : messages
  event.resolve = call === knownCall.openat2 ? amount : -1
}
