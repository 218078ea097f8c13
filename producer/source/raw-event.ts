// Where the fields of struct ringside_event (bpf/event.h) lie, and reading them out of a batch of raw
// records. A test holds every offset here against the type information of the built BPF object.
import type { EventClass, EventKind } from '../../wire/types.ts'

/** RINGSIDE_EVENT_VERSION of the layout below. */
export const eventVersion = 3
/** The oldest whose records mean the same: they have no stack. */
export const oldestEventVersion = 2

/** Bytes before the path: sizeof(struct ringside_event). */
export const eventHeaderBytes = 160

/** The longest record: a path_size of 16 bits, as a summary may have. */
export const eventMaxBytes = eventHeaderBytes + 65_536

/** Byte offset of each field within a record. */
export const eventField = {
  size: 0,
  kind: 4,
  class: 5,
  call: 6,
  flags: 7,
  seq: 8,
  timeNs: 16,
  durationNs: 24,
  ret: 32,
  startNs: 40,
  cgroupId: 48,
  cpu: 56,
  nr: 58,
  pid: 60,
  tid: 64,
  ppid: 68,
  uid: 72,
  fd: 76,
  pathSize: 80,
  extraSize: 82,
  advance: 84,
  arg: 88,
  target: 92,
  comm: 96,
  socketFamily: 112,
  socketType: 114,
  socketProtocol: 116,
  socketLocalPort: 118,
  socketRemotePort: 120,
  socketNetns: 124,
  socketLocalAddress: 128,
  socketRemoteAddress: 144,
  path: 160
} as const

/** RINGSIDE_STACK_BYTES: a stack has at most 32 addresses. */
export const stackMaxBytes = 256

/** TASK_COMM_LEN: comm is a C string within this many bytes. */
export const commBytes = 16

/** By enum ringside_kind; 0 is never written. */
export const eventKinds: readonly EventKind[] = ['other', 'syscall', 'exec', 'fork', 'exit', 'socket_state', 'io_uring']

/** RINGSIDE_KIND_SUMMARY: a record that becomes a row of the batch's summaries. */
export const summaryKind = 7

/** Byte offset of each field of struct ringside_summary, a summary's path, and of the cells behind it. */
export const summaryField = { count: 0, errors: 8, totalNs: 16, bytes: 24 } as const
export const summaryHeaderBytes = 32
export const cellField = { measure: 0, index: 2, count: 4 } as const
export const summaryCellBytes = 8

/** RINGSIDE_NR_MAX: numbers of calls and of operations of io_uring are below it. */
export const callNumberMax = 1024

/** RINGSIDE_CPU_SUMMARIES: what stands in the field cpu of a summary. */
export const summaryCpu = 1024

/** By enum ringside_class. */
export const eventClasses: readonly EventClass[] = ['process', 'network', 'file', 'io']

/** RINGSIDE_IS_SECURITY: whether a class, by enum ringside_class, goes through the security ring. */
export const isSecurityClass = (eventClass: number): boolean => eventClass <= 1

/** By enum ringside_call; the same names as the Syscall enum of schemas/event_batch.avsc. */
export const callNames = [
  'none',
  'open',
  'openat',
  'openat2',
  'read',
  'write',
  'connect',
  'accept',
  'accept4',
  'sendto',
  'sendmsg',
  'bind',
  'listen',
  'dup2',
  'dup3',
  'execve',
  'execveat',
  'close',
  'sendmmsg',
  'recvfrom',
  'recvmsg',
  'recvmmsg',
  'unlink',
  'unlinkat',
  'rename',
  'renameat',
  'renameat2',
  'ptrace',
  'socket',
  'other'
] as const

export type CallName = (typeof callNames)[number]

/** Bits of the field flags. */
export const eventFlag = { hasSocket: 0x1, pathTruncated: 0x2, isCompat: 0x4, hasStack: 0x8 } as const

/**
 * Reads the records of one batch buffer, which may be filled again and again. Every `at` is a
 * record's offset plus one of eventField; the caller walks from record to record by size.
 */
export class RawEvents {
  readonly bytes: Buffer
  readonly #u16: Uint16Array
  readonly #u32: Uint32Array
  readonly #i32: Int32Array

  /** @param bytes begins at a multiple of 8 in its ArrayBuffer; records in this machine's byte order (little-endian) */
  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes
    this.bytes = Buffer.from(buffer, byteOffset, byteLength)
    this.#u16 = new Uint16Array(buffer, byteOffset, byteLength >>> 1)
    this.#u32 = new Uint32Array(buffer, byteOffset, byteLength >>> 2)
    this.#i32 = new Int32Array(buffer, byteOffset, byteLength >>> 2)
  }

  u8(at: number): number {
    return this.bytes[at] as number
  }

  u16(at: number): number {
    return this.#u16[at >>> 1] as number
  }

  u32(at: number): number {
    return this.#u32[at >>> 2] as number
  }

  i32(at: number): number {
    return this.#i32[at >>> 2] as number
  }

  /** Exact up to 2^53; beyond it the nearest double. */
  u64(at: number): number {
    const word = at >>> 2
    return (this.#u32[word + 1] as number) * 0x1_0000_0000 + (this.#u32[word] as number)
  }

  /** All 64 bits: with a process id, what names a process. */
  startNs(record: number): bigint {
    return this.bytes.readBigUInt64LE(record + eventField.startNs)
  }

  /** Signed; exact within ±2^53. */
  i64(at: number): number {
    const word = at >>> 2
    return (this.#i32[word + 1] as number) * 0x1_0000_0000 + (this.#u32[word] as number)
  }

  /**
   * The unsigned 64-bit value at `at` less `high` × 2^32 + `low`, exact whenever the difference is within
   * ±2^53: nanosecond clocks pass 2^53 after 104 days of uptime, their differences do not.
   */
  since(at: number, high: number, low: number): number {
    const word = at >>> 2
    return ((this.#u32[word + 1] as number) - high) * 0x1_0000_0000 + ((this.#u32[word] as number) - low)
  }

  /** The thread's name; bytes that are not UTF-8 become U+FFFD. */
  comm(record: number): string {
    const start = record + eventField.comm
    let end = start
    while (end < start + commBytes && this.bytes[end] !== 0) end++
    return this.bytes.toString('utf8', start, end)
  }

  /** The path, or '' when the record has none; bytes that are not UTF-8 become U+FFFD. */
  path(record: number): string {
    const start = record + eventField.path
    return this.bytes.toString('utf8', start, start + this.u16(record + eventField.pathSize))
  }

  /** The addresses of a record's stack, in words of 32 bits, lower halves first. */
  stackWords(record: number): number[] {
    const strings = this.u16(record + eventField.pathSize) + this.u16(record + eventField.extraSize)
    const begin = (record + eventHeaderBytes + strings + 7) & ~7
    const end = record + this.u32(record + eventField.size)
    return Array.from(this.#u32.subarray(begin >>> 2, Math.min(end, begin + stackMaxBytes) >>> 2))
  }

  /** The string behind the path, likewise. */
  extra(record: number): string {
    const start = record + eventField.path + this.u16(record + eventField.pathSize)
    return this.bytes.toString('utf8', start, start + this.u16(record + eventField.extraSize))
  }
}
