// Reads the row of a summary from its record.
import {
  cellBytes,
  cellField,
  eventField as field,
  knownCalls,
  measure,
  summaryField,
  summaryHeaderBytes
} from '../../bpf/event.ts'
import { eventClasses } from '../../wire/event-class.ts'
import type { Bucket, Summary } from '../../wire/types.ts'
import { clampLong, nanosecondsBeyond } from '../source/numbers.ts'
import type { RawEvents } from '../source/raw-events.ts'

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
    syscall: knownCalls[raw.u8(record + field.call)] ?? 'none',
    call,
    class: eventClasses[raw.u8(record + field.eventClass)] as Summary['class'],
    seq: clampLong(raw.u64(record + field.seq)),
    time_offset_ns: nanosecondsBeyond(raw, record + field.timeNs),
    duration_ns: clampLong(raw.u64(record + field.durationNs)),
    count: clampLong(raw.u64(at + summaryField.count)),
    errors: clampLong(raw.u64(at + summaryField.errors)),
    total_ns: clampLong(raw.u64(at + summaryField.totalNs)),
    bytes: clampLong(raw.u64(at + summaryField.bytes)),
    latency: [],
    sizes: [],
    errnos: [],
    limited: clampLong(raw.u64(at + summaryField.limited)),
    uncounted: clampLong(raw.u64(at + summaryField.uncounted))
  }
  const buckets: Readonly<Record<number, Bucket[]>> = {
    [measure.latency]: summary.latency,
    [measure.bytes]: summary.sizes,
    [measure.errno]: summary.errnos
  }
  const end = at + raw.u16(record + field.pathSize)
  for (let cell = at + summaryHeaderBytes; cell < end; cell += cellBytes) {
    const index = raw.u16(cell + cellField.index)
    buckets[raw.u16(cell + cellField.measure)]?.push({ index, count: raw.u32(cell + cellField.count) })
  }
  return summary
}
