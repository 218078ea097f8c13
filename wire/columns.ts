// An EventBatch as columns: what windows need of each event and summary, in typed arrays instead of an object each.
// Names of calls are small integers, the same for all batches of a process.
import type { EventBatch, EventKind } from './types.ts'

/** All ABIs and operations of io_uring have some 900; what lies beyond is no kernel's doing. */
const maxNames = 4096

/** Gives each name of a call a small integer, in the order in which they are first seen. */
export class CallNames {
  readonly #codes = new Map<string, number>()
  readonly #names: string[] = []

  get size(): number {
    return this.#names.length
  }

  /** Names beyond a bound are all `other`. */
  codeOf(name: string): number {
    const known = this.#codes.get(name)
    if (known !== undefined) return known
    if (this.#names.length >= maxNames && name !== 'other') return this.codeOf('other')
    this.#codes.set(name, this.#names.length)
    return this.#names.push(name) - 1
  }

  /** @param code that codeOf() gave */
  nameOf(code: number): string {
    return this.#names[code] as string
  }
}

/** Those that columns speak of. */
export const callNames = new CallNames()

/** The symbols of EventKind in the schema's order: columns have their places in it. */
export const eventKinds: readonly EventKind[] = ['other', 'syscall', 'exec', 'fork', 'exit', 'socket_state', 'io_uring']

/** The first `length` values of each column count. Events of every kind, in the order of the batch. */
export interface EventColumns {
  length: number
  /** Index into eventKinds. */
  kind: Uint8Array
  /** Of `call`, or where there is none of `syscall`, as callNames gives it. */
  code: Int32Array
  /** Index into the batch's processes. */
  process: Int32Array
  cpu: Int32Array
  seq: Float64Array
  /** Less the batch's clock, as in the schema. */
  timeOffsetNs: Float64Array
  durationNs: Float64Array
  ret: Float64Array
  /** Index into the batch's stacks, or -1. */
  stack: Int32Array
}

/** Buckets of many histograms, one behind the other: those of the i-th are from begin[i] to begin[i + 1]. */
export interface BucketColumns {
  begin: Int32Array
  index: Int32Array
  count: Float64Array
}

/** Likewise, a row a summary. */
export interface SummaryColumns {
  length: number
  code: Int32Array
  process: Int32Array
  seq: Float64Array
  timeOffsetNs: Float64Array
  /** Of the time in which the calls ended. */
  durationNs: Float64Array
  count: Float64Array
  errors: Float64Array
  totalNs: Float64Array
  bytes: Float64Array
  latency: BucketColumns
  errnos: BucketColumns
}

/** Valid until the next batch is decoded: the columns are used again. */
export interface ColumnBatch extends Omit<EventBatch, 'sockets' | 'events' | 'summaries'> {
  events: EventColumns
  summaries: SummaryColumns
}
