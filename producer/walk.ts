// Bytes of the ring to the records in them, each checked against the contract of bpf/event.h.
import { RingsideError } from '../runtime/errors.ts'
import { eventClasses, eventHeaderBytes, eventField as field, type RawEvents } from './raw-event.ts'

/** RINGSIDE_CPU_MAX. */
const maxCpus = 1024

/**
 * Visits every record in the first `length` bytes, in the order in which they left the ring.
 * @param visit gets the record's offset
 * @throws RingsideError DATA when the bytes are not whole records
 */
export const walkRecords = (raw: RawEvents, length: number, visit: (record: number) => void): void => {
  let record = 0
  while (record < length) {
    const left = length - record
    const size = left < eventHeaderBytes ? left : raw.u32(record + field.size)
    if (
      size < eventHeaderBytes ||
      size > left ||
      size % 8 !== 0 ||
      raw.u32(record + field.pathSize) > size - eventHeaderBytes ||
      raw.u8(record + field.class) >= eventClasses.length ||
      raw.u32(record + field.cpu) >= maxCpus
    ) {
      throw new RingsideError(
        'DATA',
        `the ring's bytes are not events as bpf/event.h describes them: at ${record} of ${length} a record claims ${size} bytes; the recording is damaged, or the BPF object is of another version`
      )
    }
    visit(record)
    record += size
  }
}
