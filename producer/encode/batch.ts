// Raw records gather here until they leave as one EventBatch. The event objects are used again for
// every batch, so a batch that was taken is valid until the next event is added.
import type { Bucket, Clock, Event, EventBatch, Process, Socket, Stack, Summary } from '../../wire/types.ts'
import { clampLong, microsecondsAt, nanosecondsBeyond } from '../source/numbers.ts'
import {
  callNames,
  cellField,
  eventClasses,
  eventFlag,
  eventKinds,
  eventField as field,
  type RawEvents,
  summaryCellBytes,
  summaryField,
  summaryHeaderBytes
} from '../source/raw-event.ts'
import type { NameOfCall } from './encoder.ts'
import type { ProcessTable } from './process-table.ts'
import type { SocketTable } from './socket-table.ts'
import { StackTable } from './stack-table.ts'

/** An upper bound on the Avro bytes of each row beside its strings: longs take at most 8, ints 5. */
const eventBytes = 88
const processBytes = 160
const socketBytes = 72
const stackBytes = 16
const summaryBytes = 96
/** A cell's index takes at most 3, its count 5. */
const bucketBytes = 8

const kind = { exec: 2, fork: 3, exit: 4, ioUring: 6 } as const

/** Calls whose record says something in arg. */
const hasArg: readonly boolean[] = callNames.map((name) => ['open', 'openat', 'openat2', 'ptrace'].includes(name))
const otherCall = callNames.indexOf('other')

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
  target_pid: -1,
  stack: -1
})

const stringBytes = (text: string | null): number => (text === null ? 0 : Buffer.byteLength(text))

/** What the tables, events and summaries of a batch are; the rest of it is said when it is closed. */
export type BatchContent = Pick<EventBatch, 'processes' | 'sockets' | 'stacks' | 'events' | 'summaries'>

export class BatchBuilder {
  readonly #processTable: ProcessTable
  readonly #socketTable: SocketTable
  readonly #stackTable: StackTable
  readonly #callName: NameOfCall
  readonly #pool: Event[] = []
  #number = 1
  #processes: Process[] = []
  #sockets: Socket[] = []
  #stacks: Stack[] = []
  #events: Event[] = []
  #summaries: Summary[] = []
  /** Of each event and summary, in whole microseconds; time_offset_ns has the nanoseconds beyond until it is taken. */
  #eventTimes: number[] = []
  #summaryTimes: number[] = []
  #bytes = 0

  constructor(
    processTable: ProcessTable,
    socketTable: SocketTable,
    callName: NameOfCall,
    stackTable = new StackTable()
  ) {
    this.#processTable = processTable
    this.#socketTable = socketTable
    this.#callName = callName
    this.#stackTable = stackTable
  }

  /** Events and summaries. */
  get count(): number {
    return this.#events.length + this.#summaries.length
  }

  /** An upper bound on the encoded size of what has been added. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the event at offset `record` of raw. */
  addEvent(raw: RawEvents, record: number): void {
    const kindNumber = raw.u8(record + field.kind)
    const call = raw.u8(record + field.call)
    const flags = raw.u8(record + field.flags)
    const path = raw.u16(record + field.pathSize) === 0 ? null : raw.path(record)
    // Of exec and fork the second string is a cgroup's name, of which the table of processes takes what it needs.
    const isBeginning = kindNumber === kind.exec || kindNumber === kind.fork
    if (kindNumber === kind.exec) this.#processTable.exec(raw, record, path)
    if (kindNumber === kind.fork) this.#processTable.fork(raw, record)

    const count = this.#events.length
    this.#pool[count] ??= blankEvent()
    const event = this.#pool[count] as Event
    event.kind = eventKinds[kindNumber] ?? 'other'
    event.syscall = callNames[call] ?? 'none'
    event.process = this.#processOf(raw, record)
    event.socket = (flags & eventFlag.hasSocket) === 0 ? -1 : this.#socketOf(raw, record)
    event.cpu = raw.u16(record + field.cpu)
    event.seq = clampLong(raw.u64(record + field.seq))
    event.time_offset_ns = nanosecondsBeyond(raw, record + field.timeNs)
    event.duration_ns = clampLong(raw.u64(record + field.durationNs))
    event.tid = raw.i32(record + field.tid)
    event.ret = clampLong(raw.i64(record + field.ret))
    event.fd = raw.i32(record + field.fd)
    event.path = path
    event.path_truncated = (flags & eventFlag.pathTruncated) !== 0
    event.call = call === otherCall || kindNumber === kind.ioUring ? this.#nameOf(raw, record) : null
    event.path_to = isBeginning || raw.u16(record + field.extraSize) === 0 ? null : raw.extra(record)
    event.arg = hasArg[call] || kindNumber === kind.ioUring ? raw.u32(record + field.arg) : -1
    event.target_pid = raw.i32(record + field.target)
    event.stack = (flags & eventFlag.hasStack) === 0 ? -1 : this.#stackOf(raw, record)
    this.#events.push(event)
    this.#eventTimes.push(microsecondsAt(raw, record + field.timeNs))
    this.#bytes += eventBytes + stringBytes(path) + stringBytes(event.call) + stringBytes(event.path_to)
    if (kindNumber === kind.exit) this.#processTable.exit(raw, record)
  }

  /** Adds the summary at offset `record` of raw. */
  addSummary(raw: RawEvents, record: number): void {
    const call = raw.u8(record + field.call)
    const at = record + field.path
    const summary: Summary = {
      process: this.#processOf(raw, record),
      syscall: callNames[call] ?? 'none',
      call: call === otherCall ? this.#nameOf(raw, record) : null,
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
      this.#bytes += bucketBytes
    }
    this.#summaries.push(summary)
    this.#summaryTimes.push(microsecondsAt(raw, record + field.timeNs))
    this.#bytes += summaryBytes + stringBytes(summary.call)
  }

  /** What was added since the last call; times are then relative to the clock. */
  take(clock: Clock): BatchContent {
    const relate = (row: { time_offset_ns: number }, timeUs: number | undefined): void => {
      row.time_offset_ns = clampLong(((timeUs as number) - clock.monotonic_us) * 1000 + row.time_offset_ns)
    }
    this.#events.forEach((event, i) => {
      relate(event, this.#eventTimes[i])
    })
    this.#summaries.forEach((summary, i) => {
      relate(summary, this.#summaryTimes[i])
    })
    const content = {
      processes: this.#processes,
      sockets: this.#sockets,
      stacks: this.#stacks,
      events: this.#events,
      summaries: this.#summaries
    }
    this.#number++
    this.#processes = []
    this.#sockets = []
    this.#stacks = []
    this.#events = []
    this.#summaries = []
    this.#eventTimes = []
    this.#summaryTimes = []
    this.#bytes = 0
    return content
  }

  #nameOf(raw: RawEvents, record: number): string | null {
    const isCompat = (raw.u8(record + field.flags) & eventFlag.isCompat) !== 0
    return this.#callName(raw.u16(record + field.nr), isCompat) ?? null
  }

  #processOf(raw: RawEvents, record: number): number {
    const rows = this.#processes.length
    const index = this.#processTable.indexOf(raw, record, this.#number, this.#processes)
    if (index === rows) this.#bytes += processBytes + stringBytes((this.#processes[index] as Process).exe)
    return index
  }

  #stackOf(raw: RawEvents, record: number): number {
    const rows = this.#stacks.length
    const program = this.#processTable.programOf(raw, record)
    const index = this.#stackTable.indexOf(raw, record, program, this.#number, this.#stacks)
    if (index === rows) {
      const { go_function, go_file } = this.#stacks[index] as Stack
      this.#bytes += stackBytes + stringBytes(go_function) + stringBytes(go_file)
    }
    return index
  }

  #socketOf(raw: RawEvents, record: number): number {
    const rows = this.#sockets.length
    const index = this.#socketTable.indexOf(raw, record, this.#number, this.#sockets)
    if (index === rows) this.#bytes += socketBytes
    return index
  }
}
