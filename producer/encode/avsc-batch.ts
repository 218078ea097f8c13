// Collects raw records as the rows of an EventBatch. Event objects are reused: content that was taken is valid until
// the next event is added.
import {
  cellBytes,
  eventFlag,
  eventField as field,
  knownCall,
  recordKind,
  summaryHeaderBytes
} from '../../bpf/event.ts'
import type { Clock, Event, EventBatch, Process, Socket, Stack, Summary } from '../../wire/types.ts'
import { clampLong, microsecondsAt } from '../source/numbers.ts'
import type { RawEvents } from '../source/raw-events.ts'
import type { NameOfCall } from './encoder.ts'
import { blankEvent, isUring, readEvent } from './event-row.ts'
import type { ProcessTable } from './process-table.ts'
import type { SocketTable } from './socket-table.ts'
import { StackTable } from './stack-table.ts'
import { readSummary } from './summary-row.ts'

/** Upper bounds on the Avro bytes of a row without its strings: longs take at most 8, ints 5. */
const eventBytes = 140
const processBytes = 184
const socketBytes = 72
const stackBytes = 16
const summaryBytes = 112
/** A bucket's index takes at most 3, its count 5. */
const bucketBytes = 8

const stringBytes = (text: string | null): number => (text === null ? 0 : Buffer.byteLength(text))

/** The rows of a batch; its header is made when it is closed. */
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
  /** Times in whole microseconds; until take(), time_offset_ns has the nanoseconds beyond. */
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

  /** Upper bound on the encoded size of the rows. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the event at offset `record` of raw. */
  addEvent(raw: RawEvents, record: number): void {
    const kind = raw.u8(record + field.kind)
    const flags = raw.u8(record + field.flags)
    const count = this.#events.length
    this.#pool[count] ??= blankEvent()
    const event = this.#pool[count] as Event
    readEvent(event, raw, record)
    if (kind === recordKind.exec) this.#processTable.exec(raw, record, event.path)
    if (kind === recordKind.fork) this.#processTable.fork(raw, record)
    event.process = this.#processOf(raw, record)
    event.socket = (flags & eventFlag.hasSocket) === 0 ? -1 : this.#socketOf(raw, record)
    event.stack = (flags & eventFlag.hasStack) === 0 ? -1 : this.#stackOf(raw, record)
    const isOther = raw.u8(record + field.call) === knownCall.other
    event.call = isOther || isUring(kind) ? this.#nameOf(raw, record) : null
    this.#events.push(event)
    this.#eventTimes.push(microsecondsAt(raw, record + field.timeNs))
    this.#bytes += eventBytes + stringBytes(event.path) + stringBytes(event.call)
    this.#bytes += stringBytes(event.path_to) + stringBytes(event.path_given)
    if (kind === recordKind.exit) this.#processTable.exit(raw, record)
  }

  /** Adds the summary at offset `record` of raw. */
  addSummary(raw: RawEvents, record: number): void {
    const call = raw.u8(record + field.call) === knownCall.other ? this.#nameOf(raw, record) : null
    this.#summaries.push(readSummary(raw, record, this.#processOf(raw, record), call))
    this.#summaryTimes.push(microsecondsAt(raw, record + field.timeNs))
    const buckets = (raw.u16(record + field.pathSize) - summaryHeaderBytes) / cellBytes
    this.#bytes += summaryBytes + stringBytes(call) + bucketBytes * buckets
  }

  /** Returns the rows since the last call, with times relative to the clock. */
  take(clock: Clock): BatchContent {
    const setOffset = (row: { time_offset_ns: number }, timeUs: number | undefined): void => {
      row.time_offset_ns = clampLong(((timeUs as number) - clock.monotonic_us) * 1000 + row.time_offset_ns)
    }
    this.#events.forEach((event, i) => {
      setOffset(event, this.#eventTimes[i])
    })
    this.#summaries.forEach((summary, i) => {
      setOffset(summary, this.#summaryTimes[i])
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
