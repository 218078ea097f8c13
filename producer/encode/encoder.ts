// The interface of the two encoders, native and avsc, which write the same bytes: raw records in, encoded batches out.
// Records collect in the open batch until the edge closes it.
import type { Symbolizer } from '../go/symbolizer.ts'
import type { ProcReader } from '../proc.ts'
import type { BatchHeader } from './batch-header.ts'

export interface BatchLimits {
  /** A batch with this many events and summaries is full. */
  readonly events: number
  /** A batch of this size is full, by an upper bound on its encoded size; its last record may exceed it. */
  readonly bytes: number
}

/** The name of a system call of an ABI, or of an io_uring operation, by ringside_event.nr; undefined without one. */
export type NameOfCall = (nr: number, isCompat: boolean) => string | undefined

export interface EncoderOptions {
  /** The source reads into it; starts at a multiple of 8 in its ArrayBuffer. */
  readonly buffer: Uint8Array
  readonly limits: BatchLimits
  /** Facts about processes that started before the first event, or without a record; read during `add`. */
  readonly proc: ProcReader
  readonly callName: NameOfCall
  /** Resolves Go stacks; undefined disables it. */
  readonly symbolizer?: Symbolizer | undefined
}

/** Counters of an encoder since it was created, over all batches. */
export interface Progress {
  /** By enum ringside_class: events. */
  readonly events: readonly number[]
  readonly summaries: number
  /** The highest seq by CPU, RINGSIDE_SUMMARY_CPU for the summaries; 0 without any. */
  readonly highest: Float64Array
  /** Sums of the field `advance`, by enum ringside_lane. */
  readonly taken: readonly number[]
  /** CLOCK_MONOTONIC of the newest event, in microseconds. */
  readonly newestUs: number
}

export interface BatchEncoder {
  /**
   * Starts on a read that filled the first `length` bytes of the buffer, and discards the rest of the previous read.
   * @returns the time of the oldest of the rings' first events, CLOCK_MONOTONIC in microseconds; 0 without any
   * @throws RingsideError DATA when the bytes are not whole records; no record is added then
   */
  begin(length: number): number
  /**
   * Adds the rest of the read to the open batch: events of all rings merged by time, then summaries.
   * @returns true when the batch is full: close it and call again; false at the end of the read
   */
  add(): boolean
  /** Events and summaries of the open batch. */
  readonly count: number
  /** Events of the open batch, by enum ringside_class; a copy. */
  readonly byClass: readonly number[]
  readonly progress: Progress
  /**
   * Closes the open batch.
   * @returns the value of its message
   */
  encode(header: BatchHeader): Buffer
}
