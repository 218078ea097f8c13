// The rows of one window: one for each (process, call), found by an integer hash.
import { highestOf, Sketch } from '../../wire/sketch.ts'
import type { Process, Summary } from '../../wire/types.ts'

export class Row {
  readonly pid: number
  readonly startUs: number
  readonly comm: string
  readonly exe: string | null
  readonly containerId: string | null
  readonly code: number
  count = 0
  errors = 0
  bytes = 0
  totalNs = 0
  maxNs = 0
  readonly durations = new Sketch()
  revision = 0
  /** Holds calls that were not emitted yet. */
  changed = false

  /** @param process undefined for the row of all processes beyond the bound */
  constructor(process: Process | undefined, code: number) {
    this.pid = process?.pid ?? 0
    this.startUs = process?.start_us ?? 0
    this.comm = process?.comm ?? 'other'
    this.exe = process?.exe ?? null
    this.containerId = process?.container_id ?? null
    this.code = code
  }

  add(durationNs: number, ret: number, movesBytes: boolean): void {
    this.count++
    if (ret < 0) this.errors++
    else if (movesBytes) this.bytes += ret
    this.totalNs += durationNs
    if (durationNs > this.maxNs) this.maxNs = durationNs
    this.durations.record(durationNs)
  }

  /** Calls that were counted in the kernel: the longest of them is known by its bucket alone. */
  addSummary({ count, errors, bytes, total_ns, latency }: Summary): void {
    this.count += count
    this.errors += errors
    this.bytes += bytes
    this.totalNs += total_ns
    this.durations.addBuckets(latency)
    for (const { index } of latency) this.maxNs = Math.max(this.maxNs, highestOf(index))
  }
}

const hashOf = (pid: number, startUs: number, code: number): number => {
  let hash = Math.imul(pid, 0x9e3779b1) ^ Math.imul(startUs | 0, 0x85ebca6b) ^ Math.imul(code + 1, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}

export class RowTable {
  readonly rows: Row[] = []
  readonly #maxRows: number
  /** Index into rows by the code of the call; beside the bound, one for each call. */
  readonly #others = new Map<number, number>()
  /** Open addressing, at most half full: index into rows + 1, or 0. */
  #slots = new Int32Array(64)

  constructor(maxRows: number) {
    this.#maxRows = maxRows
  }

  /** The index in `rows` of the row for a process and call: a new one, or that of the others at the bound. */
  indexOf(process: Process, code: number): number {
    const { pid, start_us } = process
    const mask = this.#slots.length - 1
    let slot = hashOf(pid, start_us, code) & mask
    for (let at = this.#slots[slot] as number; at !== 0; at = this.#slots[slot] as number) {
      const row = this.rows[at - 1] as Row
      if (row.pid === pid && row.startUs === start_us && row.code === code) return at - 1
      slot = (slot + 1) & mask
    }
    if (this.rows.length - this.#others.size >= this.#maxRows) return this.#otherIndex(code)
    this.#slots[slot] = this.rows.push(new Row(process, code))
    if (this.rows.length * 2 > this.#slots.length) this.#grow()
    return this.rows.length - 1
  }

  #otherIndex(code: number): number {
    const known = this.#others.get(code)
    if (known !== undefined) return known
    const index = this.rows.push(new Row(undefined, code)) - 1
    this.#others.set(code, index)
    return index
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (const [index, row] of this.rows.entries()) {
      if (this.#others.get(row.code) === index) continue
      let slot = hashOf(row.pid, row.startUs, row.code) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = index + 1
    }
  }
}
