// Reads the fields of an event's row that come from its record alone; the batch adds the references to its tables.
import { eventFlag, eventField as field, knownCalls, recordKind } from '../../bpf/event.ts'
import { eventKinds } from '../../wire/event-kind.ts'
import type { Event } from '../../wire/types.ts'
import { clampLong, nanosecondsBeyond } from '../source/numbers.ts'
import type { RawEvents } from '../source/raw-events.ts'

/** Calls whose record has a value in arg. */
const hasArg: readonly boolean[] = knownCalls.map((name) => ['open', 'openat', 'openat2', 'ptrace'].includes(name))

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
  stack: -1
})

/**
 * Sets all fields of an event except process, socket, stack and call.
 * @param event its time_offset_ns becomes the nanoseconds beyond the record's whole microseconds
 * @param record offset of the event in raw
 */
export const readEvent = (event: Event, raw: RawEvents, record: number): void => {
  const kind = raw.u8(record + field.kind)
  const call = raw.u8(record + field.call)
  // The second string of an exec or fork is the cgroup's name, which only the process table uses.
  const isNewProcess = kind === recordKind.exec || kind === recordKind.fork
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
  event.path_truncated = (raw.u8(record + field.flags) & eventFlag.pathTruncated) !== 0
  event.path_to = isNewProcess || raw.u16(record + field.extraSize) === 0 ? null : raw.extra(record)
  event.arg = hasArg[call] || kind === recordKind.io_uring ? raw.u32(record + field.arg) : -1
  event.target_pid = raw.i32(record + field.target)
}
