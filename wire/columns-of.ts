// A batch decoded by avsc → columns, for messages that the C++ decoder cannot decode. Tests compare the C++ decoder with it.
import { type BucketColumns, type ColumnBatch, callNames, type EventColumns, type SummaryColumns } from './columns.ts'
import { eventKinds } from './event-kind.ts'
import type { Bucket, Event, EventBatch, Summary } from './types.ts'

const kindCodes = new Map(eventKinds.map((kind, code) => [kind, code]))

const bucketColumns = (rows: readonly (readonly Bucket[])[]): BucketColumns => {
  const begin = new Int32Array(rows.length + 1)
  for (const [i, { length }] of rows.entries()) begin[i + 1] = (begin[i] as number) + length
  const buckets = rows.flat()
  return {
    begin,
    index: Int32Array.from(buckets, ({ index }) => index),
    count: Float64Array.from(buckets, ({ count }) => count)
  }
}

const eventColumns = (events: readonly Event[]): EventColumns => ({
  length: events.length,
  kind: Uint8Array.from(events, ({ kind }) => kindCodes.get(kind) ?? 0),
  code: Int32Array.from(events, ({ call, syscall }) => callNames.codeOf(call ?? syscall)),
  process: Int32Array.from(events, ({ process }) => process),
  cpu: Int32Array.from(events, ({ cpu }) => cpu),
  seq: Float64Array.from(events, ({ seq }) => seq),
  timeOffsetNs: Float64Array.from(events, ({ time_offset_ns }) => time_offset_ns),
  durationNs: Float64Array.from(events, ({ duration_ns }) => duration_ns),
  ret: Float64Array.from(events, ({ ret }) => ret),
  bytes: Float64Array.from(events, ({ bytes }) => bytes),
  stack: Int32Array.from(events, ({ stack }) => stack)
})

const summaryColumns = (summaries: readonly Summary[]): SummaryColumns => ({
  length: summaries.length,
  code: Int32Array.from(summaries, ({ call, syscall }) => callNames.codeOf(call ?? syscall)),
  process: Int32Array.from(summaries, ({ process }) => process),
  seq: Float64Array.from(summaries, ({ seq }) => seq),
  timeOffsetNs: Float64Array.from(summaries, ({ time_offset_ns }) => time_offset_ns),
  durationNs: Float64Array.from(summaries, ({ duration_ns }) => duration_ns),
  count: Float64Array.from(summaries, ({ count }) => count),
  errors: Float64Array.from(summaries, ({ errors }) => errors),
  totalNs: Float64Array.from(summaries, ({ total_ns }) => total_ns),
  bytes: Float64Array.from(summaries, ({ bytes }) => bytes),
  latency: bucketColumns(summaries.map(({ latency }) => latency)),
  errnos: bucketColumns(summaries.map(({ errnos }) => errnos))
})

/** Columns of no rows. */
export const noRows = (): Pick<ColumnBatch, 'events' | 'summaries'> => ({
  events: eventColumns([]),
  summaries: summaryColumns([])
})

/** @returns new columns, each as long as there are rows */
export const columnsOf = ({ sockets: _, events, summaries, ...rest }: EventBatch): ColumnBatch => ({
  ...rest,
  events: eventColumns(events),
  summaries: summaryColumns(summaries)
})
