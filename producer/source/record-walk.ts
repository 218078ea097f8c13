// Iterates over the records of a read, after checking all of them against bpf/event.h. A read has a part for each lane:
// records of each ring, then summaries.
import {
  cellBytes,
  eventClasses,
  eventHeaderBytes,
  eventField as field,
  lane,
  lanes,
  nrMax,
  recordKind,
  summaryCpu,
  summaryHeaderBytes
} from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { microsecondsAt } from './numbers.ts'
import type { RawEvents } from './raw-events.ts'

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

/** Yields the records of the rings merged by time, so that a process's exec follows its earlier calls; then summaries. */
export class RecordWalk {
  readonly #raw: RawEvents
  /** By lane: offset of the next record, and the end. */
  readonly #next = lanes.map(() => 0)
  readonly #ends = lanes.map(() => 0)

  constructor(raw: RawEvents) {
    this.#raw = raw
  }

  /**
   * Begins a read that filled the first `length` bytes of the buffer.
   * @returns CLOCK_MONOTONIC in microseconds of the oldest of the rings' first events; 0 without events
   * @throws RingsideError DATA when the bytes are not whole, valid records; next() then returns -1
   */
  begin(length: number): number {
    const raw = this.#raw
    const begins = [0]
    this.#next.fill(0)
    this.#ends.fill(0)
    let at = 0
    while (at < length) {
      const size = sizeOf(raw, length, at)
      while (begins.length <= raw.lane(at)) begins.push(at)
      at += size
    }
    while (begins.length < lanes.length) begins.push(at)
    for (const i of lanes.keys()) {
      this.#next[i] = begins[i] as number
      this.#ends[i] = begins[i + 1] ?? at
    }
    const first = this.#nextLane()
    return first === lane.summaries ? 0 : microsecondsAt(raw, (this.#next[first] as number) + field.timeNs)
  }

  /** Offset of the next record; -1 at the end of the read. */
  next(): number {
    const first = this.#nextLane()
    const record = this.#next[first] as number
    if (record === this.#ends[first]) return -1
    this.#next[first] = record + this.#raw.u32(record + field.size)
    return record
  }

  /** The ring whose next record is the oldest, an earlier ring among equals; the summaries behind all records. */
  #nextLane(): number {
    let first: number = lane.summaries
    for (let i = lane.summaries - 1; i >= 0; i--) {
      if (this.#next[i] === this.#ends[i]) continue
      if (first === lane.summaries || this.#isAtLeastAsOld(this.#next[i] as number, this.#next[first] as number))
        first = i
    }
    return first
  }

  #isAtLeastAsOld(record: number, other: number): boolean {
    const time = other + field.timeNs
    return this.#raw.since(record + field.timeNs, this.#raw.u32(time + 4), this.#raw.u32(time)) <= 0
  }
}
