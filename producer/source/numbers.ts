// 64-bit numbers of the kernel as doubles, within the bounds of Avro's long in avsc.
import type { RawEvents } from './raw-events.ts'

/** avsc refuses a greater number. */
const greatest = 2 ** 53 - 2
/** avsc writes a negative n as 2 × |n| − 1 in a double: below this the last bit, which is the sign, is lost. */
const least = -(2 ** 52)

/** The nearest number that avsc writes as a long without loss. */
export const clampLong = (value: number): number => Math.min(greatest, Math.max(value, least))

// 2^32 = 4,294,967 × 1000 + 296: dividing the halves of a 64-bit number apart keeps every digit. Nanoseconds in one
// double lose the last digits after 104 days of uptime.

/** Whole microseconds in the unsigned 64-bit nanoseconds at `at`. */
export const microsecondsAt = (raw: RawEvents, at: number): number => {
  const high = raw.u32(at + 4)
  return clampLong(high * 4_294_967 + Math.floor((high * 296 + raw.u32(at)) / 1000))
}

/** Whole microseconds in the nanoseconds of a clock. */
export const microsecondsOf = (nanoseconds: bigint): number => Number(nanoseconds / 1000n)

/** The remainder of microsecondsAt, 0 to 999 ns. */
export const nanosecondsBeyond = (raw: RawEvents, at: number): number => (raw.u32(at + 4) * 296 + raw.u32(at)) % 1000
