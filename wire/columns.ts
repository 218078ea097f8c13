// An EventBatch as columns: the fields of events and summaries that rollups need, in typed arrays instead of an object for
// each row. Names of calls are small integers, the same for all batches in a process.
import type { EventBatch } from './types.ts'

/** All ABIs and io_uring together have some 900 names: a bound against forged messages. */
const maxNames = 4096

/** Numbers the names of calls in the order of their first use. */
export class CallNames {
  readonly #codes = new Map<string, number>()
  readonly #names: string[] = []

  get size(): number {
    return this.#names.length
  }

  /** Beyond the bound, new names get the code of `other`. */
  codeOf(name: string): number {
    const known = this.#codes.get(name)
    if (known !== undefined) return known
    if (this.#names.length >= maxNames && name !== 'other') return this.codeOf('other')
    this.#codes.set(name, this.#names.length)
    return this.#names.push(name) - 1
  }

  /** @param code a result of codeOf() */
  nameOf(code: number): string {
    return this.#names[code] as string
  }
}

/** The codes of all columns in this process. */
export const callNames = new CallNames()

/** Events in the order of the batch. Only the first `length` values of each column are valid. */
export interface EventColumns {
  length: number
  /** Index into eventKinds. */
  kind: Uint8Array
  /** Code of `call`, or of `syscall` when `call` is null; see callNames. */
  code: Int32Array
  /** Index into the batch's processes. */
  process: Int32Array
  cpu: Int32Array
  seq: Float64Array
  /** Relative to the batch's clock, as in the schema. */
  timeOffsetNs: Float64Array
  durationNs: Float64Array
  ret: Float64Array
  /** Of sendmmsg, recvmmsg and their messages; -1: another event. */
  bytes: Float64Array
  /** Index into the batch's stacks, or -1. */
  stack: Int32Array
}

/** Buckets of several histograms: those of histogram i are from begin[i] up to, not including, begin[i + 1]. */
export interface BucketColumns {
  begin: Int32Array
  index: Int32Array
  count: Float64Array
}

/** Summaries in the order of the batch. Only the first `length` values of each column are valid. */
export interface SummaryColumns {
  length: number
  code: Int32Array
  process: Int32Array
  seq: Float64Array
  timeOffsetNs: Float64Array
  /** Length of the interval in which the calls ended. */
  durationNs: Float64Array
  count: Float64Array
  errors: Float64Array
  totalNs: Float64Array
  bytes: Float64Array
  latency: BucketColumns
  errnos: BucketColumns
}

/** Valid until the next batch is decoded, which reuses the columns. */
export interface ColumnBatch extends Omit<EventBatch, 'sockets' | 'events' | 'summaries'> {
  events: EventColumns
  summaries: SummaryColumns
}
