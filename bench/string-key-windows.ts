// Straightforward windows, the reference of the benchmark: an object per call, a string key per row, sorted durations.
import type { Process, Rollup } from '../wire/types.ts'
import { type ErrorVerdict, verdictOfErrno } from '../wire/verdict.ts'

export interface Call {
  readonly host: string
  readonly process: Process
  readonly syscall: string
  /** Wall clock, microseconds. */
  readonly timeUs: number
  readonly durationNs: number
  readonly ret: number
}

interface Row {
  readonly call: Call
  readonly startUs: number
  readonly windowMs: number
  readonly errors: Record<ErrorVerdict, number>
  bytes: number
  readonly durations: number[]
}

const graceUs = 100_000
const movesBytes = new Set(['read', 'write', 'sendto', 'sendmsg'])

const rollupOf = ({ call, startUs, windowMs, errors, bytes, durations }: Row): Rollup => {
  const { host, syscall, process } = call
  const sorted = durations.sort((a, b) => a - b)
  const quantile = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? 0
  return {
    host,
    workload: process.container_id ?? process.exe ?? process.comm,
    pid: process.pid,
    start_us: process.start_us,
    comm: process.comm,
    exe: process.exe,
    container_id: process.container_id,
    syscall,
    window_start: startUs,
    window_ms: windowMs,
    revision: 1,
    count: sorted.length,
    ...errors,
    bytes,
    total_ns: sorted.reduce((sum, duration) => sum + duration, 0),
    p50_ns: quantile(0.5),
    p95_ns: quantile(0.95),
    p99_ns: quantile(0.99),
    max_ns: sorted.at(-1) ?? 0,
    by: 'process',
    go_function: null,
    other: false,
    complete: true,
    rate: (sorted.length * 1000) / windowMs,
    rate_ewma: 0,
    p90_ns: quantile(0.9),
    p999_ns: quantile(0.999),
    latency: [],
    errnos: []
  }
}

export class StringKeyWindows {
  readonly #windowsMs: readonly number[]
  readonly #rows = new Map<string, Row>()
  #nowUs = 0
  #nextCloseUs = Number.POSITIVE_INFINITY

  constructor(windowsMs: readonly number[]) {
    this.#windowsMs = windowsMs
  }

  get hasClosed(): boolean {
    return this.#nowUs >= this.#nextCloseUs
  }

  add(call: Call): void {
    this.#nowUs = Math.max(this.#nowUs, call.timeUs)
    for (const windowMs of this.#windowsMs) {
      const startUs = Math.floor(call.timeUs / (windowMs * 1000)) * windowMs * 1000
      const key = `${call.host}|${windowMs}|${startUs}|${call.process.pid}|${call.process.start_us}|${call.syscall}`
      let row = this.#rows.get(key)
      if (row === undefined) {
        row = { call, startUs, windowMs, errors: { failed: 0, expected: 0, interrupted: 0 }, bytes: 0, durations: [] }
        this.#rows.set(key, row)
        this.#nextCloseUs = Math.min(this.#nextCloseUs, startUs + windowMs * 1000 + graceUs)
      }
      row.durations.push(call.durationNs)
      if (call.ret < 0) row.errors[verdictOfErrno(call.syscall, -call.ret)]++
      else if (movesBytes.has(call.syscall)) row.bytes += call.ret
    }
  }

  /** Takes out the rows whose window ended, or all. */
  close(all: boolean): Rollup[] {
    const rollups: Rollup[] = []
    this.#nextCloseUs = Number.POSITIVE_INFINITY
    for (const [key, row] of this.#rows) {
      const closeUs = row.startUs + row.windowMs * 1000 + graceUs
      if (!all && closeUs > this.#nowUs) {
        this.#nextCloseUs = Math.min(this.#nextCloseUs, closeUs)
        continue
      }
      rollups.push(rollupOf(row))
      this.#rows.delete(key)
    }
    return rollups
  }
}
