import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantile, RecentRollups, topRows } from '../../cli/top-table.ts'
import type { Rollup } from '../../wire/types.ts'

const rollup = (over: Partial<Rollup> = {}): Rollup => ({
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
  count: 10,
  errors: 0,
  bytes: 0,
  total_ns: 1000,
  p50_ns: 100,
  p95_ns: 200,
  p99_ns: 300,
  max_ns: 400,
  by: 'process',
  go_function: null,
  other: false,
  complete: true,
  rate: 10,
  rate_ewma: 10,
  p90_ns: 180,
  p999_ns: 390,
  latency: [{ index: 212, count: 10 }],
  errnos: [],
  ...over
})

test('the percentiles of a single rollup are its own', () => {
  assert.equal(quantile([rollup()], 0.5), 100)
  assert.equal(quantile([rollup()], 0.95), 200)
  assert.equal(quantile([rollup()], 0.99), 300)
})

test('a merged percentile lies between those of its parts, nearer to the one with more calls', () => {
  const few = rollup({ count: 1 })
  const many = rollup({ count: 999, p50_ns: 1000, p95_ns: 2000, p99_ns: 3000, max_ns: 4000 })
  const merged = quantile([few, many], 0.5)
  assert.ok(merged > 990 && merged <= 1000, String(merged))
})

test('percentiles that coincide are no division by zero', () => {
  assert.equal(quantile([rollup({ p50_ns: 7, p95_ns: 7, p99_ns: 7, max_ns: 7 })], 0.99), 7)
  assert.equal(quantile([], 0.99), 0)
})

test('the highest revision of a window replaces those before it, in whatever order they come', () => {
  const recent = new RecentRollups(1000, 10_000)
  recent.add(rollup({ revision: 2, count: 20 }))
  recent.add(rollup({ revision: 1, count: 10 }))
  assert.deepEqual(
    recent.current().map(({ count }) => count),
    [20]
  )
})

test('windows of another length, and those before the span, are left out', () => {
  const recent = new RecentRollups(1000, 2000)
  recent.add(rollup({ window_ms: 10_000 }))
  recent.add(rollup({ window_start: 1_000_000 }))
  recent.add(rollup({ window_start: 3_000_000 }))
  assert.equal(recent.endUs, 4_000_000)
  assert.deepEqual(
    recent.current().map(({ window_start }) => window_start),
    [3_000_000]
  )
})

test('rows are rates over the span, and shares of the time of all calls', () => {
  const rollups = [
    rollup({ total_ns: 3000, errors: 5 }),
    rollup({ pid: 2, total_ns: 1000, count: 40 }),
    rollup({ window_start: 2_000_000, total_ns: 0 })
  ]
  const rows = topRows(rollups, 2000, 'process-call', 'time')
  assert.deepEqual(
    rows.map((row) => [row.pid, row.calls_per_second, row.errors_per_second, row.time_share]),
    [
      [1, 10, 2.5, 0.75],
      [2, 20, 0, 0.25]
    ]
  )
  assert.equal(topRows(rollups, 2000, 'process-call', 'calls')[0]?.pid, 2)
})

test('rates and shares have no digits that only floating point makes', () => {
  const [row] = topRows(
    [rollup({ count: 107, errors: 1, total_ns: 1 }), rollup({ pid: 2, total_ns: 2 })],
    10_000,
    'process',
    'calls'
  )
  assert.deepEqual([row?.calls_per_second, row?.errors_per_second, row?.time_share], [10.7, 0.1, 0.333333])
})

test('groups span what they do not name', () => {
  const rollups = [rollup(), rollup({ host: 'b', pid: 9, syscall: 'read' }), rollup({ syscall: 'write' })]
  const byCall = topRows(rollups, 1000, 'call', 'calls')
  assert.deepEqual(
    byCall.map(({ host, pid, comm, syscall }) => [host, pid, comm, syscall]),
    [
      ['*', null, null, 'read'],
      ['a', null, null, 'write']
    ]
  )
  assert.deepEqual(
    topRows(rollups, 1000, 'host', 'calls').map(({ host, syscall }) => [host, syscall]),
    [
      ['a', null],
      ['b', null]
    ]
  )
})
