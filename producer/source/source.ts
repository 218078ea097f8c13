// Where the edge's raw records come from, as bpf/event.h lays them out: the live kernel (live-source.ts) or a recording
// (recording.ts). The rest of the edge is the same for both, and needs no root for a recording.
import type { Lane } from '../../bpf/event.ts'
import type { EventClass } from '../../wire/types.ts'

/** Two clocks read at the same moment, in nanoseconds. */
export interface ClockReading {
  readonly monotonicNs: bigint
  readonly wallNs: bigint
}

/** Sums over all CPUs since the programs were loaded. */
export interface SourceStatistics {
  /** Events that have a seq: emitted + dropped. */
  readonly seen: number
  readonly emitted: Readonly<Record<EventClass, number>>
  /** Events for which their ring had no room. */
  readonly dropped: Readonly<Record<EventClass, number>>
  /** Calls not observed because of their mode or a filter. */
  readonly off?: Readonly<Record<EventClass, number>>
  /** Calls counted in the kernel. */
  readonly counted?: Readonly<Record<EventClass, number>>
  /** Calls for which no state could be kept: no event has them, and no other figure here includes them. */
  readonly untracked?: number
  /** Calls in `counted` that no summary includes, for lack of room. */
  readonly uncounted?: number
  /** Calls and outcomes of connects beyond the bound of their process: the calls are in `counted`, too. */
  readonly limited?: number
  /** Run time of the programs on all CPUs, in nanoseconds, at most a second old; undefined if it is not measured. */
  readonly programTimeNs?: number
  /** CLOCK_MONOTONIC: the summaries in `sequences` include every counted call that ended before. */
  readonly countedUntilUs?: number
  /** The seq before the first and the last seq, for each CPU that assigned any and for the summaries. */
  readonly sequences: readonly { readonly cpu: number; readonly before: number; readonly last: number }[]
}

/** Of a source before its first record. */
export const noStatistics: SourceStatistics = {
  seen: 0,
  emitted: { process: 0, network: 0, file: 0, io: 0 },
  dropped: { process: 0, network: 0, file: 0, io: 0 },
  sequences: []
}

/**
 * A position in each lane of records: three rings and the summaries. It is the sum of the field `advance` of the lane's
 * records up to there, since the programs were loaded.
 */
export type Mark = Readonly<Record<Lane, number>>

/** The position of a source that takes over nothing. */
export const noMark: Mark = { process: 0, security: 0, rest: 0, summaries: 0 }

/** The durable state of an edge at a mark: the edge that takes over continues with it. */
export interface Account {
  readonly run: string
  /** Number of the last durable batch. */
  readonly batch: number
  /** The last seq that durable batches account for, by CPU; summaries have RINGSIDE_SUMMARY_CPU. */
  readonly closed: readonly { readonly cpu: number; readonly seq: number }[]
  /** Drops declared in durable batches since the programs were loaded, by class number. */
  readonly declared: readonly number[]
  /** Events in durable batches since the programs were loaded, by class number. */
  readonly events: readonly number[]
}

/** Calls of one process that were counted beyond its bound. */
export interface LimitedCalls {
  readonly pid: number
  /** CLOCK_BOOTTIME at its start. */
  readonly startUs: number
  readonly comm: string
  readonly call: string
  readonly count: number
}

export interface Source {
  /** /proc/sys/kernel/random/boot_id of the host that the events come from. */
  readonly boot: string
  /** For people: "live kernel 6.18.44, rings of 8, 16 and 64 MiB", "recording demo.rec". */
  readonly description: string
  /** True when a late read loses nothing, as with a recording: the edge then waits for Kafka and never drops. */
  readonly lossless?: boolean
  /** Account of the dead edge that this source takes over from; undefined without one. */
  readonly previous?: Account | undefined
  /** The position of the first read: noMark unless taken over. */
  readonly begin: Mark
  /**
   * Copies whole records, lane by lane in the order of Mark. With room for four of the longest records, each lane that has
   * records gets some of the room. An exec is read with the later calls of its process, or earlier. Never blocks.
   * @returns bytes copied; 0 when there is no record now
   */
  read(into: Uint8Array): number
  /** Releases the room of the records before the mark, which are durable. Marks never go back. */
  release(mark: Mark, account: Account): void
  /**
   * Ends a counting period: once it resolves, `read` returns its summaries.
   * @returns false when it did nothing: the last summaries are not all released, or no call was counted
   */
  summarize(): Promise<boolean>
  /** The processes with the most limited calls in the last summaries, the largest first; undefined without a kernel. */
  limited?(): readonly LimitedCalls[]
  /** Share of a ring that is read and not released, from 0 to 1; of the fullest ring. */
  readonly pressure?: number
  /** Now for a live source; for a recording the clock recorded with the last read. */
  clock(): ClockReading
  statistics(): SourceStatistics
  /** True when no record is left and none will follow. */
  readonly ended: boolean
  /** Stops observing. Records and counts that exist can still be read, until `ended`. */
  detach(): Promise<void>
  close(): void
}
