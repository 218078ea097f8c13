// Raw events gather here until they leave as one EventBatch. The event objects are used again for
// every batch, so a batch that was taken is valid until the next event is added.
import type { Clock, Event, EventBatch, Process, Socket } from '../wire/types.ts'
import { clampLong, microsecondsAt, nanosecondsBeyond } from './numbers.ts'
import type { ProcessTable } from './process-table.ts'
import { callNames, eventClasses, eventFlag, eventKinds, eventField as field, type RawEvents } from './raw-event.ts'
import type { SocketTable } from './socket-table.ts'

/** An upper bound on the Avro bytes of each row beside its strings: longs take at most 10, ints 5. */
const eventBytes = 72
const processBytes = 160
const socketBytes = 72

const kind = { exec: 2, fork: 3, exit: 4 } as const

const blankEvent = (): Event => ({
  kind: 'other',
  syscall: 'none',
  process: 0,
  socket: -1,
  cpu: 0,
  seq: 0,
  time_offset_ns: 0,
  duration_ns: 0,
  tid: 0,
  ret: 0,
  fd: -1,
  path: null,
  path_truncated: false,
  call: null,
  path_to: null,
  arg: -1,
  target_pid: -1
})

/** What the tables and events of a batch are; the rest of it is said when it is closed. */
export type BatchContent = Pick<EventBatch, 'processes' | 'sockets' | 'events' | 'summaries'>

export class BatchBuilder {
  readonly #processTable: ProcessTable
  readonly #socketTable: SocketTable
  readonly #pool: Event[] = []
  #number = 1
  #baseUs = 0
  #processes: Process[] = []
  #sockets: Socket[] = []
  #events: Event[] = []
  #bytes = 0
  #byClass = eventClasses.map(() => 0)
  #newestUs = 0

  constructor(processTable: ProcessTable, socketTable: SocketTable) {
    this.#processTable = processTable
    this.#socketTable = socketTable
  }

  get eventCount(): number {
    return this.#events.length
  }

  /** An upper bound on the encoded size of what has been added. */
  get bytes(): number {
    return this.#bytes
  }

  /** Events of the open batch by enum ringside_class. */
  get byClass(): readonly number[] {
    return this.#byClass
  }

  /** CLOCK_MONOTONIC of the newest event ever added or skipped, in microseconds. */
  get newestUs(): number {
    return this.#newestUs
  }

  /** Adds the event at offset `record` of raw. */
  add(raw: RawEvents, record: number): void {
    const timeUs = this.#note(raw, record)
    const count = this.#events.length
    if (count === 0) this.#baseUs = timeUs
    const kindNumber = raw.u8(record + field.kind)
    const flags = raw.u8(record + field.flags)
    const path = raw.u16(record + field.pathSize) === 0 ? null : raw.path(record)

    this.#beforeRow(kindNumber, raw, record, path)
    this.#pool[count] ??= blankEvent()
    const event = this.#pool[count] as Event
    event.kind = eventKinds[kindNumber] ?? 'other'
    event.syscall = callNames[raw.u8(record + field.call)] ?? 'none'
    event.process = this.#processOf(raw, record)
    event.socket = (flags & eventFlag.hasSocket) === 0 ? -1 : this.#socketOf(raw, record)
    event.cpu = raw.u16(record + field.cpu)
    event.seq = clampLong(raw.u64(record + field.seq))
    event.time_offset_ns = clampLong((timeUs - this.#baseUs) * 1000 + nanosecondsBeyond(raw, record + field.timeNs))
    event.duration_ns = clampLong(raw.u64(record + field.durationNs))
    event.tid = raw.i32(record + field.tid)
    event.ret = clampLong(raw.i64(record + field.ret))
    event.fd = raw.i32(record + field.fd)
    event.path = path
    event.path_truncated = (flags & eventFlag.pathTruncated) !== 0
    this.#events.push(event)
    if (kindNumber === kind.exit) this.#processTable.exit(raw, record)

    this.#bytes += eventBytes + (path === null ? 0 : Buffer.byteLength(path))
    const eventClass = raw.u8(record + field.class)
    this.#byClass[eventClass] = (this.#byClass[eventClass] as number) + 1
  }

  /** Keeps the process table right by an event that is not to be published. */
  skip(raw: RawEvents, record: number): void {
    this.#note(raw, record)
    const kindNumber = raw.u8(record + field.kind)
    const path = kindNumber === kind.exec ? raw.path(record) : null
    this.#beforeRow(kindNumber, raw, record, path)
    if (kindNumber === kind.exit) this.#processTable.exit(raw, record)
  }

  /** What was added since the last call; times are then relative to the clock. */
  take(clock: Clock): BatchContent {
    const shift = (this.#baseUs - clock.monotonic_us) * 1000
    for (const event of this.#events) event.time_offset_ns = clampLong(event.time_offset_ns + shift)
    const content = { processes: this.#processes, sockets: this.#sockets, events: this.#events, summaries: [] }
    this.#number++
    this.#processes = []
    this.#sockets = []
    this.#events = []
    this.#bytes = 0
    this.#byClass = eventClasses.map(() => 0)
    return content
  }

  #note(raw: RawEvents, record: number): number {
    const timeUs = microsecondsAt(raw, record + field.timeNs)
    if (timeUs > this.#newestUs) this.#newestUs = timeUs
    return timeUs
  }

  #processOf(raw: RawEvents, record: number): number {
    const rows = this.#processes.length
    const index = this.#processTable.indexOf(raw, record, this.#number, this.#processes)
    if (index === rows) this.#bytes += processBytes + Buffer.byteLength((this.#processes[index] as Process).exe ?? '')
    return index
  }

  #socketOf(raw: RawEvents, record: number): number {
    const rows = this.#sockets.length
    const index = this.#socketTable.indexOf(raw, record, this.#number, this.#sockets)
    if (index === rows) this.#bytes += socketBytes
    return index
  }

  #beforeRow(kindNumber: number, raw: RawEvents, record: number, path: string | null): void {
    if (kindNumber === kind.exec) this.#processTable.exec(raw, record, path)
    else if (kindNumber === kind.fork) this.#processTable.fork(raw, record)
  }
}
