// Iterates over the records of a read, after checking all of them against bpf/event.h. A read has up to three parts:
// records of the security ring, records of the rest ring, summaries.
import {
  cellBytes,
  eventClasses,
  eventHeaderBytes,
  eventField as field,
  nrMax,
  recordKind,
  summaryCpu,
  summaryHeaderBytes
} from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { microsecondsAt } from './numbers.ts'
import { isSecurityClass, type RawEvents } from './raw-events.ts'

const isSummaryWhole = (pathSize: number): boolean =>
  pathSize >= summaryHeaderBytes && (pathSize - summaryHeaderBytes) % cellBytes === 0

/** The size field of the record at `record`, or the bytes left when they are too few for a record. */
const claimedBytes = (raw: RawEvents, length: number, record: number): number => {
  const left = length - record
  return left < eventHeaderBytes ? left : raw.u32(record + field.size)
}

/** The error for a read without a valid record at `record`. */
export const invalidRecord = (raw: RawEvents, length: number, record: number): RingsideError =>
  new RingsideError(
    'DATA',
    `invalid record at byte ${record} of ${length}, with a size of ${claimedBytes(raw, length, record)} bytes: the recording is damaged, or the BPF object is of another version (build it with: npm run build)`
  )

/** @throws RingsideError DATA without a valid record at `record` */
const sizeOf = (raw: RawEvents, length: number, record: number): number => {
  const size = claimedBytes(raw, length, record)
  if (size >= eventHeaderBytes && size <= length - record && size % 8 === 0 && isEvent(raw, record, size)) return size
  throw invalidRecord(raw, length, record)
}

const isEvent = (raw: RawEvents, record: number, size: number): boolean => {
  const pathSize = raw.u16(record + field.pathSize)
  const isSummary = raw.u8(record + field.kind) === recordKind.summary
  const cpu = raw.u16(record + field.cpu)
  return (
    pathSize + raw.u16(record + field.extraSize) <= size - eventHeaderBytes &&
    raw.u8(record + field.eventClass) < eventClasses.length &&
    raw.u16(record + field.nr) < nrMax &&
    (isSummary ? cpu === summaryCpu && isSummaryWhole(pathSize) : cpu < summaryCpu)
  )
}

/** Yields the records of both rings merged by time, so that a process's exec follows its earlier calls; then summaries. */
export class RecordWalk {
  readonly #raw: RawEvents
  #security = 0
  #securityEnd = 0
  #other = 0
  #otherEnd = 0
  #end = 0

  constructor(raw: RawEvents) {
    this.#raw = raw
  }

  /**
   * Begins a read that filled the first `length` bytes of the buffer.
   * @returns CLOCK_MONOTONIC in microseconds of the older of the first events of both rings; 0 without events
   * @throws RingsideError DATA when the bytes are not whole, valid records; next() then returns -1
   */
  begin(length: number): number {
    const raw = this.#raw
    this.#security = this.#securityEnd = this.#other = this.#otherEnd = this.#end = 0
    let securityEnd = -1
    let otherEnd = -1
    let at = 0
    while (at < length) {
      const size = sizeOf(raw, length, at)
      const isSummary = raw.u8(at + field.kind) === recordKind.summary
      if (securityEnd < 0 && (isSummary || !isSecurityClass(raw.u8(at + field.eventClass)))) securityEnd = at
      if (otherEnd < 0 && isSummary) otherEnd = at
      at += size
    }
    this.#end = at
    this.#otherEnd = otherEnd < 0 ? at : otherEnd
    this.#securityEnd = this.#other = securityEnd < 0 ? at : securityEnd
    return this.#oldestUs()
  }

  /** Offset of the next record; -1 at the end of the read. */
  next(): number {
    if (this.#isSecurityNext()) {
      const record = this.#security
      this.#security += this.#raw.u32(record + field.size)
      return record
    }
    const record = this.#other
    if (record === this.#end) return -1
    this.#other += this.#raw.u32(record + field.size)
    return record
  }

  #isSecurityNext(): boolean {
    if (this.#security === this.#securityEnd) return false
    if (this.#other >= this.#otherEnd) return true
    const otherTime = this.#other + field.timeNs
    return this.#raw.since(this.#security + field.timeNs, this.#raw.u32(otherTime + 4), this.#raw.u32(otherTime)) <= 0
  }

  #oldestUs(): number {
    const next = this.#isSecurityNext() ? this.#security : this.#other
    return next < this.#otherEnd ? microsecondsAt(this.#raw, next + field.timeNs) : 0
  }
}
