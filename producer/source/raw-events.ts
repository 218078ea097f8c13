// Reads the fields of raw records, struct ringside_event of bpf/event.h, in place.
import {
  commSize,
  eventField,
  eventHeaderBytes,
  lane,
  lastSecurityClass,
  recordKind,
  stackMax
} from '../../bpf/event.ts'

const stackMaxBytes = 8 * stackMax

/** RINGSIDE_LANE_OF: the lane of a record, by numbers of recordKind and eventClass. */
export const laneOf = (kind: number, eventClass: number): number => {
  if (kind === recordKind.summary) return lane.summaries
  if (kind >= recordKind.exec && kind <= recordKind.exit) return lane.process
  return eventClass <= lastSecurityClass ? lane.security : lane.rest
}

/**
 * Reads the records in a buffer, which may be refilled. Every `at` is the offset of a record plus one of eventField, every
 * `record` the offset of a record.
 */
export class RawEvents {
  readonly bytes: Buffer
  readonly #u16: Uint16Array
  readonly #u32: Uint32Array
  readonly #i32: Int32Array

  /** @param bytes begins at a multiple of 8 in its ArrayBuffer; little-endian, as this machine is */
  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes
    this.bytes = Buffer.from(buffer, byteOffset, byteLength)
    this.#u16 = new Uint16Array(buffer, byteOffset, byteLength >>> 1)
    this.#u32 = new Uint32Array(buffer, byteOffset, byteLength >>> 2)
    this.#i32 = new Int32Array(buffer, byteOffset, byteLength >>> 2)
  }

  lane(record: number): number {
    return laneOf(this.u8(record + eventField.kind), this.u8(record + eventField.eventClass))
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

  /** Exact up to 2^53, then the nearest double. */
  u64(at: number): number {
    const word = at >>> 2
    return (this.#u32[word + 1] as number) * 0x1_0000_0000 + (this.#u32[word] as number)
  }

  /** Exact. */
  big(at: number): bigint {
    return this.bytes.readBigUInt64LE(at)
  }

  /** Signed; exact within ±2^53. */
  i64(at: number): number {
    const word = at >>> 2
    return (this.#i32[word + 1] as number) * 0x1_0000_0000 + (this.#u32[word] as number)
  }

  /**
   * The unsigned 64-bit value at `at` minus (`high` × 2^32 + `low`), exact if the difference is within ±2^53. Clocks in
   * nanoseconds pass 2^53 after 104 days of uptime, their differences do not.
   */
  since(at: number, high: number, low: number): number {
    const word = at >>> 2
    return ((this.#u32[word + 1] as number) - high) * 0x1_0000_0000 + ((this.#u32[word] as number) - low)
  }

  /** The thread's name. Bytes that are not UTF-8 become U+FFFD. */
  comm(record: number): string {
    const start = record + eventField.comm
    let end = start
    while (end < start + commSize && this.bytes[end] !== 0) end++
    return this.bytes.toString('utf8', start, end)
  }

  /** The path, '' without one. Bytes that are not UTF-8 become U+FFFD. */
  path(record: number): string {
    const start = record + eventField.path
    return this.bytes.toString('utf8', start, start + this.u16(record + eventField.pathSize))
  }

  /** The addresses of the stack as 32-bit words, the lower half of each first. */
  stackWords(record: number): number[] {
    const strings = this.u16(record + eventField.pathSize) + this.u16(record + eventField.extraSize)
    const begin = (record + eventHeaderBytes + strings + 7) & ~7
    const end = record + this.u32(record + eventField.size)
    return Array.from(this.#u32.subarray(begin >>> 2, Math.min(end, begin + stackMaxBytes) >>> 2))
  }

  /** The second string, '' without one. Bytes that are not UTF-8 become U+FFFD. */
  extra(record: number): string {
    const start = record + eventField.path + this.u16(record + eventField.pathSize)
    return this.bytes.toString('utf8', start, start + this.u16(record + eventField.extraSize))
  }
}
