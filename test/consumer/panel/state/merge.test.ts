import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pointOf, topOf } from '../../../../consumer/panel/state/merge.ts'
import { Windows } from '../../../../consumer/panel/state/windows.ts'
import { Sketch } from '../../../../wire/sketch.ts'
import type { Rollup } from '../../../../wire/types.ts'
import { processRow, row } from '../support/rows.ts'

const windowsOf = (...rows: Rollup[]): Windows => {
  const windows = new Windows({ windowMs: 1000, keptMs: 60_000, maxRows: 1000 })
  for (const [change, each] of rows.entries()) windows.add(each, change, 1e12)
  return windows
}

const firstPoint = (windows: Windows, filter = {}) => {
  const [window] = windows.since(0, -1)
  assert.ok(window !== undefined)
  return pointOf(window, 1000, filter)
}

test('a point merges the rows of its window: sums exactly, quantiles as if they were one distribution', () => {
  const one = row(1, { count: 500, errors: 3 })
  const two = row(1, { host: 'web-2', count: 4, errors: 0, max_ns: 70_000, latency: [{ index: 500, count: 4 }] })
  const [p50, p95, p99] = Sketch.of(one.latency, two.latency).quantiles([0.5, 0.95, 0.99])
  assert.deepEqual(firstPoint(windowsOf(one, two)), {
    timeMs: 1000,
    count: 504,
    errors: 3,
    p50,
    p95,
    p99,
    max: 70_000,
    heat: [
      [10, 497],
      [13, 3],
      [15, 4]
    ],
    lost: 0,
    complete: true
  })
  assert.equal(firstPoint(windowsOf(one, two), { host: 'web-2' })?.count, 4)
  assert.equal(firstPoint(windowsOf(one, two), { call: 'write' })?.count, 0)
  assert.equal(firstPoint(windowsOf(one, two), { host: 'web-3' }), undefined)
})

test('a point is open while a row of its hosts is', () => {
  const windows = windowsOf(row(1), row(1, { syscall: 'write', complete: false }), row(1, { host: 'web-2' }))
  assert.equal(firstPoint(windows)?.complete, false)
  assert.equal(firstPoint(windows, { call: 'read' })?.complete, false)
  assert.equal(firstPoint(windows, { host: 'web-2' })?.complete, true)
})

test('what the filter has lost is in its point, also where nothing else is', () => {
  const windows = windowsOf()
  windows.hear('web-1', 1000, 2000, 7, 1, 1e12)
  windows.hear('web-2', 1000, 2000, 2, 2, 1e12)
  assert.equal(firstPoint(windows)?.lost, 9)
  assert.deepEqual(firstPoint(windows, { host: 'web-1', call: 'read' }), {
    timeMs: 1000,
    count: 0,
    errors: 0,
    p50: 0,
    p95: 0,
    p99: 0,
    max: 0,
    heat: [],
    lost: 7,
    complete: true
  })
})

test('the top is over the last whole seconds of each host, the most calls first', () => {
  const { spanMs, rows } = topOf(
    windowsOf(
      processRow(1, 7, { count: 1_000_000 }),
      processRow(12, 1, { count: 30, total_ns: 3000 }),
      processRow(13, 1, { count: 70, errors: 10, total_ns: 3000, syscall: 'write' }),
      processRow(13, 2, { count: 500, total_ns: 2000 }),
      processRow(14, 2, { count: 9999, complete: false }),
      // This host is some seconds behind.
      processRow(8, 3, { host: 'web-2', count: 200, total_ns: 2000 })
    ),
    'process',
    {}
  )
  assert.equal(spanMs, 2000)
  assert.deepEqual(
    rows.map(({ pid, host, call, callsPerSecond, errorsPerSecond, timeShare }) => [
      pid,
      host,
      call,
      callsPerSecond,
      errorsPerSecond,
      timeShare
    ]),
    [
      [2, 'web-1', null, 250, 1.5, 0.2],
      [3, 'web-2', null, 100, 1.5, 0.2],
      [1, 'web-1', null, 50, 6.5, 0.6]
    ]
  )
})

test('the top by call merges hosts and workloads, and says that a row is of several', () => {
  const windows = windowsOf(
    row(1, { count: 5 }),
    row(1, { host: 'web-2', workload: '/usr/bin/wget', count: 6 }),
    row(1, { syscall: 'write', count: 1 })
  )
  const shown = topOf(windows, 'call', {}).rows.map(({ host, workload, call, pid, comm }) => [
    host,
    workload,
    call,
    pid,
    comm
  ])
  assert.deepEqual(shown, [
    ['*', '*', 'read', null, null],
    ['web-1', '/usr/bin/curl', 'write', null, null]
  ])
  assert.equal(topOf(windows, 'workload', { call: 'write' }).rows[0]?.call, 'write')
})

test('a row by Go function names it', () => {
  const windows = windowsOf(
    row(1, { by: 'go_function', go_function: 'main.serve', count: 3 }),
    row(1, { by: 'go_function', go_function: 'net/http.(*conn).serve', count: 9 })
  )
  assert.deepEqual(
    topOf(windows, 'go_function', {}).rows.map(({ goFunction, callsPerSecond }) => [goFunction, callsPerSecond]),
    [
      ['net/http.(*conn).serve', 9],
      ['main.serve', 3]
    ]
  )
})
