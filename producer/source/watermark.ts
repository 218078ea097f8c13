// The clock of a batch, its watermark: every event that ended before it has left the rings, so no later batch has one.
// Consumers close their windows by it.
import type { Clock } from '../../wire/types.ts'
import { microsecondsOf } from './numbers.ts'
import type { ClockReading } from './source.ts'

/** Between an event's timestamp and its place in the ring: microseconds, more when its CPU is preempted. */
const inFlightUs = 10_000
/** Bound on the disorder within rings that are never empty: CPUs differ by far less, and a read takes less. */
const disorderUs = 1_000_000

export class Watermark {
  #us = 0

  /** The rings were empty in a pass that began at `reading`. */
  drained(reading: ClockReading): void {
    this.#raise(microsecondsOf(reading.monotonicNs) - inFlightUs)
  }

  /** The oldest of the first events of the rings in a read has this time. A ring without events was empty then. */
  follow(firstUs: number): void {
    this.#raise(firstUs - disorderUs)
  }

  /** No event will follow: the clock passes `reading` and the newest event. */
  end(reading: ClockReading, newestUs: number): void {
    this.#raise(Math.max(microsecondsOf(reading.monotonicNs), newestUs + 1))
  }

  /**
   * Returns the clock of a batch that is closed now.
   * @param reading both clocks now
   */
  clock(reading: ClockReading): Clock {
    const sinceUs = microsecondsOf(reading.monotonicNs) - this.#us
    return { monotonic_us: this.#us, wall_us: microsecondsOf(reading.wallNs) - sinceUs }
  }

  #raise(us: number): void {
    if (us > this.#us) this.#us = us
  }
}
