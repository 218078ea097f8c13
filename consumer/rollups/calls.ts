// A batch's system calls as columns: what windows need of each event, times on the wall clock, names of
// calls as small integers.
import type { EventBatch } from '../../wire/types.ts'

const movesBytes = new Set(['read', 'write', 'sendto', 'sendmsg'])

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

/** The first `length` values of each column count; the columns are used again for the next batch. */
export class Calls {
  length = 0
  /** Index into the batch's processes. */
  process = new Int32Array(0)
  /** Of the call, as CallNames gives it. */
  code = new Int32Array(0)
  /** When the call returned: microseconds since the epoch, by the clock of the batch. */
  timeUs = new Float64Array(0)
  durationNs = new Float64Array(0)
  ret = new Float64Array(0)

  /** Replaces the columns by the calls of a batch. */
  fill(batch: EventBatch, names: CallNames): void {
    if (this.process.length < batch.events.length) this.#grow(batch.events.length)
    const wallUs = batch.clock.wall_us
    let n = 0
    for (const event of batch.events) {
      if (event.kind !== 'syscall') continue
      this.process[n] = event.process
      this.code[n] = names.codeOf(event.syscall)
      this.timeUs[n] = wallUs + Math.floor(event.time_offset_ns / 1000)
      this.durationNs[n] = event.duration_ns
      this.ret[n] = event.ret
      n++
    }
    this.length = n
  }

  #grow(length: number): void {
    this.process = new Int32Array(length)
    this.code = new Int32Array(length)
    this.timeUs = new Float64Array(length)
    this.durationNs = new Float64Array(length)
    this.ret = new Float64Array(length)
  }
}
