// The seam between raw records and encoded batches: the native encoder and the one of avsc stand behind it
// alike, and write the same bytes. Records gather in the open batch until the edge closes it.
import type { Symbolizer } from '../go/symbolizer.ts'
import type { ProcReader } from '../proc.ts'
import type { BatchHeader } from './batch-header.ts'

export interface BatchLimits {
  /** Events and summaries that make a batch full. */
  readonly events: number
  /** An upper bound of its encoded size that makes it full; one record may go beyond it. */
  readonly bytes: number
}

/** The name of a system call of an ABI, or of an operation of io_uring, by ringside_event.nr; undefined if it has none. */
export type NameOfCall = (nr: number, isCompat: boolean) => string | undefined

export interface EncoderOptions {
  /** What the source reads into; begins at a multiple of 8 in its ArrayBuffer. */
  readonly buffer: Uint8Array
  readonly limits: BatchLimits
  /** What is known of processes that records do not tell the beginning of; asked in the middle of `add`. */
  readonly proc: ProcReader
  readonly callName: NameOfCall
  /** Knows where calls were made from; undefined: it is not told. */
  readonly symbolizer?: Symbolizer | undefined
}

/** What went through an encoder since it was made, whichever batch it is in. */
export interface Progress {
  /** By enum ringside_class: events. */
  readonly events: readonly number[]
  readonly summaries: number
  /** By CPU, RINGSIDE_CPU_SUMMARIES for the summaries: the highest seq; 0 where there was none. */
  readonly highest: Float64Array
  /** Sum of the field `advance` by lane: of security records, of the others, of summaries. */
  readonly taken: readonly [number, number, number]
  /** CLOCK_MONOTONIC of the newest event, in microseconds. */
  readonly newestUs: number
}

export interface BatchEncoder {
  /**
   * A read filled the first `length` bytes of the buffer that the encoder was made with. What was left of the read
   * before it is forgotten.
   * @returns CLOCK_MONOTONIC in microseconds of the oldest of the events that its lanes begin with; 0 without any
   * @throws RingsideError DATA when the bytes are not whole records; none of them is then added
   */
  begin(length: number): number
  /**
   * Adds what is left of the read: events of both rings merged by time, then summaries.
   * @returns true as soon as the batch is full: close it, and call again; false at the end of the read
   */
  add(): boolean
  /** Of the open batch: events and summaries. */
  readonly count: number
  /** Of the open batch: events by enum ringside_class; a copy. */
  readonly byClass: readonly number[]
  readonly progress: Progress
  /** Closes the open batch: the value of a message. */
  encode(head: BatchHeader): Buffer
}
