import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Part } from '../../../cli/top/recent.ts'
import { topRows, totals } from '../../../cli/top/rows.ts'
import type { Rollup } from '../../../wire/types.ts'
import { rollup } from './rollup.ts'

const parts = (seconds: number, ...rollups: readonly Rollup[]): Part[] =>
  rollups.map((row) => ({ rollup: row, seconds }))

test('rows have rates over their seconds, and shares of the time of all calls', () => {
  const found = parts(
    2,
    rollup({ total_ns: 3000, failed: 5, expected: 8, bytes: 512 }),
    rollup({ pid: 2, total_ns: 1000, count: 40 }),
    rollup({ window_start: 2_000_000, total_ns: 0 })
  )
  assert.deepEqual(
    topRows(found, 'process-call', 'time').map((row) => [
      row.pid,
      row.calls_per_second,
      row.failed_per_second,
      row.failed_share,
      row.expected_per_second,
      row.bytes_per_second,
      row.time_share
    ]),
    [
      [1, 10, 2.5, 0.25, 4, 256, 0.75],
      [2, 20, 0, 0, 0, 0, 0.25]
    ]
  )
  assert.equal(topRows(found, 'process-call', 'calls')[0]?.pid, 2)
  assert.deepEqual(totals(found), { calls: 30, failed: 2.5, expected: 4 })
})

test('a process has a row for each program that it ran', () => {
  const found = parts(1, rollup({ exe: '/bin/sh' }), rollup({ exe: '/bin/cat' }), rollup({ exe: '/bin/sh' }))
  for (const by of ['process', 'process-call'] as const) {
    assert.deepEqual(
      topRows(found, by, 'calls').map(({ exe }) => exe),
      ['/bin/sh', '/bin/cat']
    )
  }
})

test('percentiles of merged rows are those of all their calls', () => {
  const few = rollup({}, [1_000_000])
  const many = rollup({ host: 'b' }, Array<number>(999).fill(2000))
  const [row] = topRows(parts(1, few, many), 'call', 'p99')
  assert.ok(Math.abs((row?.p50_ns ?? 0) / 2000 - 1) < 1 / 64)
  assert.ok(Math.abs((row?.p99_ns ?? 0) / 2000 - 1) < 1 / 64)
  const [halves] = topRows(parts(1, rollup({}, [20]), rollup({ pid: 2 }, [900])), 'host', 'p99')
  assert.deepEqual([halves?.p50_ns, halves?.p99_ns], [20, 900])
})

test('a percentile is never above the longest call', () => {
  const [row] = topRows(parts(1, rollup({}, [1_000_001])), 'process', 'time')
  assert.equal(row?.p99_ns, 1_000_001)
})

test('expected errors are no part of the share of failed calls', () => {
  const [row] = topRows(parts(1, rollup({ count: 100, expected: 100, failed: 0 })), 'process', 'failed')
  assert.deepEqual([row?.failed_share, row?.expected_per_second], [0, 100])
})

test('connects that fail in a window without calls are a share of 1', () => {
  const [row] = topRows(parts(1, rollup({ count: 0, failed: 3, max_ns: 0, latency: [] })), 'process', 'failed')
  assert.deepEqual([row?.calls_per_second, row?.failed_per_second, row?.failed_share], [0, 3, 1])
})

test('rates and shares are rounded', () => {
  const found = parts(10, rollup({ count: 107, failed: 1, total_ns: 1 }), rollup({ pid: 2, total_ns: 2 }))
  const [row] = topRows(found, 'process', 'calls')
  assert.deepEqual([row?.calls_per_second, row?.failed_per_second, row?.time_share], [10.7, 0.1, 0.333333])
})

test('fields with several values in a group are null, and several hosts are *', () => {
  const container = 'c'.repeat(64)
  const found = parts(
    1,
    rollup({ go_function: 'main.serve' }),
    rollup({ host: 'b', pid: 9, workload: container, container_id: container }),
    rollup({ syscall: 'write', go_function: 'main.serve' })
  )
  const named = (by: Parameters<typeof topRows>[1]): unknown[] =>
    topRows(found, by, 'calls').map((row) => [
      row.host,
      row.pid,
      row.comm,
      row.workload,
      row.container_id,
      row.go_function,
      row.syscall,
      row.calls_per_second
    ])
  assert.deepEqual(named('call'), [
    ['*', null, null, null, null, null, 'read', 20],
    ['a', null, null, null, null, null, 'write', 10]
  ])
  assert.deepEqual(named('process'), [
    ['a', 1, 'x', '/bin/x', null, null, null, 20],
    ['b', 9, 'x', container, container, null, null, 10]
  ])
  assert.deepEqual(named('workload'), [
    ['a', null, null, '/bin/x', null, null, null, 20],
    ['b', null, null, container, container, null, null, 10]
  ])
  assert.deepEqual(named('container'), [
    ['a', null, null, null, null, null, null, 20],
    ['b', null, null, null, container, null, null, 10]
  ])
  assert.deepEqual(named('host'), [
    ['a', null, null, null, null, null, null, 20],
    ['b', null, null, null, null, null, null, 10]
  ])
  assert.deepEqual(named('go_function')[0], ['a', null, null, '/bin/x', null, 'main.serve', 'read', 10])
})

test('no rollups give no rows', () => {
  assert.deepEqual(topRows([], 'host', 'time'), [])
})
