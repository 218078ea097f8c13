// The seam between the kernel and the edge: raw records as bpf/event.h lays them out, in batches.
// The live ring (producer/live-source.ts) and a recording of ring bytes (producer/recording.ts)
// stand behind it alike, so that everything after it runs without root.
import type { EventClass } from '../wire/types.ts'

/** Two clocks read at the same moment, in nanoseconds. */
export interface ClockReading {
  readonly monotonicNs: bigint
  readonly wallNs: bigint
}

/** Cumulative since the programs were loaded; summed over CPUs. */
export interface SourceStatistics {
  /** Every event the programs gave a seq to: emitted + dropped. */
  readonly seen: number
  readonly emitted: Readonly<Record<EventClass, number>>
  /** The class's ring had no room. */
  readonly dropped: Readonly<Record<EventClass, number>>
  /** Calls that no state could be kept for, so that no event tells of them and none of the above counts them. */
  readonly unaccounted?: number
  /** Per CPU that gave out any: the seq before the first, and the last given out. */
  readonly sequences: readonly { readonly cpu: number; readonly before: number; readonly last: number }[]
}

export interface Source {
  /** /proc/sys/kernel/random/boot_id where the events come from. */
  readonly boot: string
  /** For people: "live kernel 6.18.44, rings 16 MiB and 64 MiB", "recording demo.rec". */
  readonly description: string
  /** Reading late loses nothing, as with a recording: the edge then waits for Kafka, and never drops. */
  readonly lossless?: boolean
  /**
   * Copies whole records into `into`: those of the security ring, then the others; each ring gives some if it has any,
   * when there is room for four of the longest. Returns the bytes filled; 0 when there is nothing now. Never blocks.
   */
  read(into: Uint8Array): number
  /** Now, for a live source; the recorded moment that belongs to what was read last, for a recording. */
  clock(): ClockReading
  statistics(): SourceStatistics
  /** True when no record will ever come again: detached and drained, or the recording's end. */
  readonly ended: boolean
  /** Stops the making of events. What is in the rings can still be read, until `ended`. */
  detach(): Promise<void>
  close(): void
}
