// Numbers of the kernel within the bounds of Avro's long as avsc reads and writes it: ±(2^53−2).
import type { RawEvents } from './raw-event.ts'

const bound = 2 ** 53 - 2

export const clampLong = (value: number): number => Math.min(bound, Math.max(value, -bound))

// 2^32 = 4,294,967 × 1000 + 296: dividing the halves of a 64-bit number apart keeps every digit,
// where nanoseconds as one double lose the last ones after 104 days of uptime.

/** Whole microseconds in the unsigned 64-bit nanoseconds at `at`. */
export const microsecondsAt = (raw: RawEvents, at: number): number => {
  const high = raw.u32(at + 4)
  return clampLong(high * 4_294_967 + Math.floor((high * 296 + raw.u32(at)) / 1000))
}

/** The nanoseconds beyond microsecondsAt, 0 to 999. */
export const nanosecondsBeyond = (raw: RawEvents, at: number): number => (raw.u32(at + 4) * 296 + raw.u32(at)) % 1000
