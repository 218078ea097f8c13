// The seam between the kernel and the edge: raw records as bpf/event.h lays them out, in batches.
// The live rings (producer/source/live-source.ts) and a recording of ring bytes (producer/source/recording.ts)
// stand behind it alike, so that everything after it runs without root.
import type { EventClass } from '../../wire/types.ts'

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
  /** Calls that were not observed, by their mode or by a filter. */
  readonly off?: Readonly<Record<EventClass, number>>
  /** Calls that were counted in the kernel. */
  readonly counted?: Readonly<Record<EventClass, number>>
  /** Calls that no state could be kept for, so that no event tells of them and none of the above counts them. */
  readonly untracked?: number
  /** Of `counted`: calls that no summary has, for want of room. */
  readonly uncounted?: number
  /** CLOCK_MONOTONIC: the summaries up to the last of `sequences` have every counted call that ended before. */
  readonly countedUntilUs?: number
  /** Per CPU that gave out any, and of the summaries: the seq before the first, and the last given out. */
  readonly sequences: readonly { readonly cpu: number; readonly before: number; readonly last: number }[]
}

/**
 * A place in the three lanes that records come by: the security ring, the ring of the rest, the summaries. Each is the
 * sum of the field `advance` of the lane's records up to there, since the programs were loaded.
 */
export interface Mark {
  readonly security: number
  readonly rest: number
  readonly summaries: number
}

/** Where reading begins that takes nothing over. */
export const noMark: Mark = { security: 0, rest: 0, summaries: 0 }

/** What the edge has to know again when it takes over from a dead one: its account at a mark. */
export interface Account {
  readonly run: string
  /** Number of the last batch that is durable. */
  readonly batch: number
  /** Per CPU, RINGSIDE_SUMMARY_CPU for the summaries: the last seq that durable batches answer for. */
  readonly closed: readonly { readonly cpu: number; readonly seq: number }[]
  /** By enum ringside_class: drops that durable batches declare, since the programs were loaded. */
  readonly declared: readonly number[]
  /** By enum ringside_class: events that durable batches hold, since the programs were loaded. */
  readonly events: readonly number[]
}

export interface Source {
  /** /proc/sys/kernel/random/boot_id where the events come from. */
  readonly boot: string
  /** For people: "live kernel 6.18.44, rings 16 MiB and 64 MiB", "recording demo.rec". */
  readonly description: string
  /** Reading late loses nothing, as with a recording: the edge then waits for Kafka, and never drops. */
  readonly lossless?: boolean
  /** The account that a dead edge left, where reading goes on; undefined when reading begins anew. */
  readonly previous?: Account | undefined
  /** Where reading begins; all zeros unless taken over. */
  readonly begin: Mark
  /**
   * Copies whole records into `into`: those of the security ring, then the others, then summaries; each ring gives some
   * if it has any, when there is room for four of the longest. Returns the bytes filled; 0 when there is nothing now.
   * Never blocks.
   */
  read(into: Uint8Array): number
  /**
   * What lies before the mark is durable: its room is given back, and a successor begins there with this account.
   * Marks never go back.
   */
  release(mark: Mark, account: Account): void
  /**
   * Ends the time that summaries are of: when it resolves, `read` gives them. Does nothing while those of the time before
   * are not all released, or nothing is counted; says whether it did.
   */
  summarize(): Promise<boolean>
  /** From 0 to 1: what was read and is not released holds this share of its ring, of the fuller one. */
  readonly pressure?: number
  /** Now, for a live source; the recorded moment that belongs to what was read last, for a recording. */
  clock(): ClockReading
  statistics(): SourceStatistics
  /** True when no record will ever come again: detached and drained, or the recording's end. */
  readonly ended: boolean
  /** Stops the making of events. What is in the rings and counted can still be read, until `ended`. */
  detach(): Promise<void>
  close(): void
}
