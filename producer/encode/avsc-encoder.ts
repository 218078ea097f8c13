// The encoder in JavaScript: raw records become objects, which avsc writes. The reference for the native encoder, and
// its replacement where the addon is not built.
import { eventField as field, lanes, recordKind, summaryCpu } from '../../bpf/event.ts'
import { encode } from '../../wire/codec.ts'
import { eventClasses } from '../../wire/event-class.ts'
import { clampLong, microsecondsAt } from '../source/numbers.ts'
import { RawEvents } from '../source/raw-events.ts'
import { RecordWalk } from '../source/record-walk.ts'
import { BatchBuilder } from './avsc-batch.ts'
import type { BatchHeader } from './batch-header.ts'
import type { BatchEncoder, BatchLimits, EncoderOptions, Progress } from './encoder.ts'
import { ProcessTable } from './process-table.ts'
import { SocketTable } from './socket-table.ts'
import { StackTable } from './stack-table.ts'

const zeros = (): number[] => eventClasses.map(() => 0)

class AvscEncoder implements BatchEncoder {
  readonly #raw: RawEvents
  readonly #walk: RecordWalk
  readonly #builder: BatchBuilder
  readonly #limits: BatchLimits
  readonly #events = zeros()
  readonly #highest = new Float64Array(summaryCpu + 1)
  readonly #taken = lanes.map(() => 0)
  #summaries = 0
  #newestUs = 0
  #byClass = zeros()

  constructor({ buffer, limits, proc, callName, symbolizer }: EncoderOptions) {
    this.#raw = new RawEvents(buffer)
    this.#walk = new RecordWalk(this.#raw)
    this.#builder = new BatchBuilder(
      new ProcessTable(proc, symbolizer),
      new SocketTable(),
      callName,
      new StackTable(symbolizer)
    )
    this.#limits = limits
  }

  begin(length: number): number {
    return this.#walk.begin(length)
  }

  add(): boolean {
    while (this.#builder.count < this.#limits.events && this.#builder.bytes < this.#limits.bytes) {
      const record = this.#walk.next()
      if (record < 0) return false
      if (this.#raw.u8(record + field.kind) === recordKind.summary) this.#addSummary(record)
      else this.#addEvent(record)
    }
    return true
  }

  get count(): number {
    return this.#builder.count
  }

  get byClass(): readonly number[] {
    return [...this.#byClass]
  }

  get progress(): Progress {
    return {
      events: [...this.#events],
      summaries: this.#summaries,
      highest: this.#highest,
      taken: [...this.#taken],
      newestUs: this.#newestUs
    }
  }

  encode(header: BatchHeader): Buffer {
    this.#byClass = zeros()
    return encode('EventBatch', { ...header, ...this.#builder.take(header.clock) })
  }

  #addEvent(record: number): void {
    this.#builder.addEvent(this.#raw, record)
    const eventClass = this.#raw.u8(record + field.eventClass)
    this.#events[eventClass] = (this.#events[eventClass] as number) + 1
    this.#byClass[eventClass] = (this.#byClass[eventClass] as number) + 1
    this.#newestUs = Math.max(this.#newestUs, microsecondsAt(this.#raw, record + field.timeNs))
    this.#updateProgress(record)
  }

  #addSummary(record: number): void {
    this.#builder.addSummary(this.#raw, record)
    this.#summaries++
    this.#updateProgress(record)
  }

  #updateProgress(record: number): void {
    const cpu = this.#raw.u16(record + field.cpu)
    const seq = clampLong(this.#raw.u64(record + field.seq))
    this.#highest[cpu] = Math.max(this.#highest[cpu] as number, seq)
    const lane = this.#raw.lane(record)
    this.#taken[lane] = (this.#taken[lane] as number) + this.#raw.u32(record + field.advance)
  }
}

/** An encoder that needs no addon. */
export const createAvscEncoder = (options: EncoderOptions): BatchEncoder => new AvscEncoder(options)
