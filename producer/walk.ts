// Bytes of the rings to the records in them, each checked against the contract of bpf/event.h.
import { RingsideError } from '../runtime/errors.ts'
import {
  eventClasses,
  eventHeaderBytes,
  eventField as field,
  isSecurityClass,
  type RawEvents,
  summaryCpu
} from './raw-event.ts'

/** @throws RingsideError DATA when there is no whole record at `record` */
const sizeOf = (raw: RawEvents, length: number, record: number): number => {
  const left = length - record
  const size = left < eventHeaderBytes ? left : raw.u32(record + field.size)
  if (
    size < eventHeaderBytes ||
    size > left ||
    size % 8 !== 0 ||
    raw.u16(record + field.pathSize) + raw.u16(record + field.moreSize) > size - eventHeaderBytes ||
    raw.u8(record + field.class) >= eventClasses.length ||
    raw.u16(record + field.cpu) > summaryCpu
  ) {
    throw new RingsideError(
      'DATA',
      `the ring's bytes are not events as bpf/event.h describes them: at ${record} of ${length} a record claims ${size} bytes; the recording is damaged, or the BPF object is of another version`
    )
  }
  return size
}

/**
 * Visits every record in the first `length` bytes: those of the security ring, which come first in them, and the
 * others after them, merged by time, so that what a process did before an exec comes before it.
 * @param visit gets the record's offset
 * @throws RingsideError DATA when the bytes are not whole records
 */
export const walkRecords = (raw: RawEvents, length: number, visit: (record: number) => void): void => {
  let end = 0
  while (end < length && isSecurityClass(raw.u8(end + field.class))) end += sizeOf(raw, length, end)
  let security = 0
  for (let other = end; other < length; ) {
    const size = sizeOf(raw, length, other)
    for (; security < end && raw.u64(security + field.timeNs) <= raw.u64(other + field.timeNs); ) {
      visit(security)
      security += raw.u32(security + field.size)
    }
    visit(other)
    other += size
  }
  for (; security < end; security += raw.u32(security + field.size)) visit(security)
}
