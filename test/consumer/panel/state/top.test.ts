import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topOf } from '../../../../consumer/panel/state/top.ts'
import { processRow, row, windowsOf } from '../support/rows.ts'

test('the top is over the last closed windows of each host, busiest first', () => {
  const { spanMs, rows } = topOf(
    windowsOf(
      processRow(1, 7, { count: 1_000_000 }),
      processRow(12, 1, { count: 30, total_ns: 3000 }),
      processRow(13, 1, { count: 70, failed: 10, total_ns: 3000, syscall: 'write' }),
      processRow(13, 2, { count: 500, total_ns: 2000 }),
      processRow(14, 2, { count: 9999, complete: false }),
      // This host lags by some seconds.
      processRow(8, 3, { host: 'web-2', count: 200, total_ns: 2000 })
    ),
    'process',
    {}
  )
  assert.equal(spanMs, 2000)
  assert.deepEqual(
    rows.map(({ pid, host, call, callsPerSecond, failedPerSecond, timeShare }) => [
      pid,
      host,
      call,
      callsPerSecond,
      failedPerSecond,
      timeShare
    ]),
    [
      [2, 'web-1', null, 250, 0.5, 0.2],
      [3, 'web-2', null, 100, 0.5, 0.2],
      [1, 'web-1', null, 50, 5.5, 0.6]
    ]
  )
})

test('the top by call merges hosts and workloads; a merged row has *', () => {
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

test('a process has a row for each workload that it was', () => {
  const windows = windowsOf(
    processRow(1, 7, { workload: '/bin/sh', count: 5 }),
    processRow(1, 7, { workload: '/bin/cat', count: 6 })
  )
  assert.deepEqual(
    topOf(windows, 'process', {}).rows.map(({ pid, workload }) => [pid, workload]),
    [
      [7, '/bin/cat'],
      [7, '/bin/sh']
    ]
  )
})

test('a row by Go function has its name', () => {
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
