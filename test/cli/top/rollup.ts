// Rollups and host statuses for the tests of `top`.
import { Sketch } from '../../../wire/sketch.ts'
import type { HostStatus, Rollup } from '../../../wire/types.ts'
import { samples } from '../../support/records.ts'

const distribution = (durations: readonly number[]): Rollup['latency'] => {
  const sketch = new Sketch()
  for (const duration of durations) sketch.record(duration)
  return sketch.buckets()
}

/** 10 calls of 100 ns each, unless `durations` are given. */
export const rollup = (over: Partial<Rollup> = {}, durations?: readonly number[]): Rollup => {
  const taken = durations ?? Array<number>(over.count ?? 10).fill(100)
  return {
    ...samples.Rollup,
    host: 'a',
    workload: '/bin/x',
    pid: 1,
    start_us: 5,
    comm: 'x',
    exe: '/bin/x',
    container_id: null,
    syscall: 'read',
    window_start: 1_000_000,
    window_ms: 1000,
    revision: 1,
    count: taken.length,
    ...{ failed: 0, expected: 0, interrupted: 0, errnos: [] },
    bytes: 0,
    total_ns: taken.reduce((sum, one) => sum + one, 0),
    max_ns: Math.max(...taken),
    by: 'process',
    go_function: null,
    other: false,
    complete: true,
    latency: distribution(taken),
    ...over
  }
}

/** 30 emitted and 70 counted calls in the second from `window_start` on, without drops. */
export const status = (over: Partial<HostStatus> = {}): HostStatus => ({
  ...samples.HostStatus,
  host: 'a',
  window_start: 1_000_000,
  window_ms: 1000,
  watermark: 2_100_000,
  final: false,
  events: 30,
  counted: 70,
  late: 0,
  others: 0,
  drops: [],
  ...over
})
