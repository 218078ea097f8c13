// The clock of a batch: a moment by which every event that ended before it has left the ring, so that
// no later batch holds one. Consumers close their windows by it.
import type { Clock } from '../wire/types.ts'
import type { ClockReading } from './source.ts'

/** From an event's time stamp to its place in the ring: microseconds, more when its CPU is taken away. */
const inFlightUs = 10_000
/** A ring that is never found empty is still nearly in order; two CPUs differ by far less than this. */
const disorderUs = 1_000_000

const microseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1000n)

export class Watermark {
  #us = 0

  /** A pass that began at `reading` found the ring empty. */
  drained(reading: ClockReading): void {
    this.#raise(microseconds(reading.monotonicNs) - inFlightUs)
  }

  /** The ring is empty and will be: all time up to `reading` is complete, and the newest event in any case. */
  end(reading: ClockReading, newestUs: number): void {
    this.#raise(Math.max(microseconds(reading.monotonicNs), newestUs + 1))
  }

  /**
   * The clock of a batch that is closed now.
   * @param reading of now, which relates the two clocks
   * @param newestUs CLOCK_MONOTONIC of the newest event that left the ring, in microseconds; 0 for none
   */
  clock(reading: ClockReading, newestUs: number): Clock {
    this.#raise(newestUs - disorderUs)
    const sinceUs = microseconds(reading.monotonicNs) - this.#us
    return { monotonic_us: this.#us, wall_us: microseconds(reading.wallNs) - sinceUs }
  }

  #raise(us: number): void {
    if (us > this.#us) this.#us = us
  }
}
