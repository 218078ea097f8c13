// A batch's system calls, and what io_uring was asked for, as columns: what windows need of each event, times on the
// wall clock, names of calls as small integers.
import { movesBytes } from '../../wire/bytes-moved.ts'
import type { EventBatch, Summary } from '../../wire/types.ts'

/** Gives each name of a call a small integer, in the order in which they are first seen. */
export class CallNames {
  readonly #codes = new Map<string, number>()
  readonly #names: string[] = []
  readonly #movesBytes: boolean[] = []

  get size(): number {
    return this.#names.length
  }

  codeOf(name: string): number {
    const known = this.#codes.get(name)
    if (known !== undefined) return known
    this.#codes.set(name, this.#names.length)
    this.#movesBytes.push(movesBytes.has(name))
    return this.#names.push(name) - 1
  }

  nameOf(code: number): string {
    return this.#names[code] as string
  }

  /** Whether what the call returns is a number of bytes. */
  movesBytes(code: number): boolean {
    return this.#movesBytes[code] as boolean
  }
}

/** Calls that were counted in the kernel, of one (process, call). */
export interface CountedCalls {
  readonly summary: Summary
  readonly code: number
  /** As if all of them had returned at this one moment: microseconds since the epoch. */
  readonly timeUs: number
}

/**
 * Edges count from just after a second to just after the next, so that the middle of a summary's time tells which
 * second it is of. One of a longer time, as after an outage, is of the second that it ended in.
 */
const longestHalfUs = 500_000

/** The first `length` values of each column count; the columns are used again for the next batch. */
export class Calls {
  length = 0
  /** Of the batches that filled the columns, which one. */
  turn = 0
  /** Index into the batch's processes. */
  process = new Int32Array(0)
  /** Of the call, as CallNames gives it. */
  code = new Int32Array(0)
  /** When the call returned: microseconds since the epoch, by the clock of the batch. */
  timeUs = new Float64Array(0)
  durationNs = new Float64Array(0)
  ret = new Float64Array(0)
  counted: readonly CountedCalls[] = []
  readonly #cells: Int32Array[] = []
  #lent = 0

  /** Replaces the columns by the calls of a batch. */
  fill(batch: EventBatch, names: CallNames): void {
    this.turn++
    this.#lent = 0
    if (this.process.length < batch.events.length) this.#grow(batch.events.length)
    const wallUs = batch.clock.wall_us
    let n = 0
    for (const event of batch.events) {
      if (event.kind !== 'syscall' && event.kind !== 'io_uring') continue
      this.process[n] = event.process
      this.code[n] = names.codeOf(event.call ?? event.syscall)
      this.timeUs[n] = wallUs + Math.floor(event.time_offset_ns / 1000)
      this.durationNs[n] = event.duration_ns
      this.ret[n] = event.ret
      n++
    }
    this.length = n
    this.counted = batch.summaries.map((summary) => {
      const endUs = wallUs + Math.floor(summary.time_offset_ns / 1000)
      const halfUs = Math.min(Math.floor(summary.duration_ns / 2000), longestHalfUs)
      return { summary, code: names.codeOf(summary.call ?? summary.syscall), timeUs: endUs - halfUs }
    })
  }

  /** At least so many zeros, for whoever asks to keep until the next batch: windows are many, those of a batch are few. */
  lendCells(length: number): Int32Array {
    const at = this.#lent++
    const kept = this.#cells[at]
    if (kept !== undefined && kept.length >= length) return kept.fill(0, 0, length)
    const cells = new Int32Array(length)
    this.#cells[at] = cells
    return cells
  }

  #grow(length: number): void {
    this.process = new Int32Array(length)
    this.code = new Int32Array(length)
    this.timeUs = new Float64Array(length)
    this.durationNs = new Float64Array(length)
    this.ret = new Float64Array(length)
  }
}
