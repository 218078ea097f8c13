// The clock of a batch: a moment by which every event that ended before it has left the rings, so that
// no later batch holds one. Consumers close their windows by it.
import type { Clock } from '../../wire/types.ts'
import { microsecondsOf } from './numbers.ts'
import type { ClockReading } from './source.ts'

/** From an event's time stamp to its place in the ring: microseconds, more when its CPU is taken away. */
const inFlightUs = 10_000
/** Rings that are never found empty are still nearly in order; two CPUs differ by far less, and a read takes less. */
const disorderUs = 1_000_000

export class Watermark {
  #us = 0

  /** A pass that began at `reading` found both rings empty. */
  drained(reading: ClockReading): void {
    this.#raise(microsecondsOf(reading.monotonicNs) - inFlightUs)
  }

  /**
   * A read begins with an event of this time: the oldest of those with which the rings' parts begin. A ring that gave
   * nothing was found empty, so what it gives later is newer still.
   */
  follow(firstUs: number): void {
    this.#raise(firstUs - disorderUs)
  }

  /** The rings are empty and will be: all time up to `reading` is complete, and the newest event in any case. */
  end(reading: ClockReading, newestUs: number): void {
    this.#raise(Math.max(microsecondsOf(reading.monotonicNs), newestUs + 1))
  }

  /**
   * The clock of a batch that is closed now.
   * @param reading of now, which relates the two clocks
   */
  clock(reading: ClockReading): Clock {
    const sinceUs = microsecondsOf(reading.monotonicNs) - this.#us
    return { monotonic_us: this.#us, wall_us: microsecondsOf(reading.wallNs) - sinceUs }
  }

  #raise(us: number): void {
    if (us > this.#us) this.#us = us
  }
}
