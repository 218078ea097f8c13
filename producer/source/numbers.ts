// Numbers of the kernel within the bounds of Avro's long as avsc reads and writes it.
import type { RawEvents } from './raw-events.ts'

/** avsc refuses what is greater, or below -(2^53 - 2). */
const greatest = 2 ** 53 - 2
/** avsc writes 2 × |n| − 1 for a negative n, as a double: beyond this that loses its last bit, which is the sign. */
const least = -(2 ** 52)

/** The nearest number that a long can carry. */
export const clampLong = (value: number): number => Math.min(greatest, Math.max(value, least))

// 2^32 = 4,294,967 × 1000 + 296: dividing the halves of a 64-bit number apart keeps every digit,
// where nanoseconds as one double lose the last ones after 104 days of uptime.

/** Whole microseconds in the unsigned 64-bit nanoseconds at `at`. */
export const microsecondsAt = (raw: RawEvents, at: number): number => {
  const high = raw.u32(at + 4)
  return clampLong(high * 4_294_967 + Math.floor((high * 296 + raw.u32(at)) / 1000))
}

/** Whole microseconds in nanoseconds of a clock. */
export const microsecondsOf = (nanoseconds: bigint): number => Number(nanoseconds / 1000n)

/** The nanoseconds beyond microsecondsAt, 0 to 999. */
export const nanosecondsBeyond = (raw: RawEvents, at: number): number => (raw.u32(at + 4) * 296 + raw.u32(at)) % 1000
