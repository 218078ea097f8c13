// Reads the row of a summary from its record.
import type { Bucket, Summary } from '../../wire/types.ts'
import { clampLong, nanosecondsBeyond } from '../source/numbers.ts'
import {
  callNames,
  cellField,
  eventClasses,
  eventField as field,
  type RawEvents,
  summaryCellBytes,
  summaryField,
  summaryHeaderBytes
} from '../source/raw-event.ts'

/**
 * @param record offset of the summary in raw
 * @param process index of its process in the batch
 * @param call the call's name, if the enum Syscall lacks it
 * @returns its time_offset_ns is the nanoseconds beyond the record's whole microseconds
 */
export const readSummary = (raw: RawEvents, record: number, process: number, call: string | null): Summary => {
  const at = record + field.path
  const summary: Summary = {
    process,
    syscall: callNames[raw.u8(record + field.call)] ?? 'none',
    call,
    class: eventClasses[raw.u8(record + field.class)] as Summary['class'],
    seq: clampLong(raw.u64(record + field.seq)),
    time_offset_ns: nanosecondsBeyond(raw, record + field.timeNs),
    duration_ns: clampLong(raw.u64(record + field.durationNs)),
    count: clampLong(raw.u64(at + summaryField.count)),
    errors: clampLong(raw.u64(at + summaryField.errors)),
    total_ns: clampLong(raw.u64(at + summaryField.totalNs)),
    bytes: clampLong(raw.u64(at + summaryField.bytes)),
    latency: [],
    sizes: [],
    errnos: []
  }
  // By enum ringside_measure.
  const buckets: readonly Bucket[][] = [summary.latency, summary.sizes, summary.errnos]
  const end = at + raw.u16(record + field.pathSize)
  for (let cell = at + summaryHeaderBytes; cell < end; cell += summaryCellBytes) {
    const index = raw.u16(cell + cellField.index)
    buckets[raw.u16(cell + cellField.measure)]?.push({ index, count: raw.u32(cell + cellField.count) })
  }
  return summary
}
