import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentRollups } from '../../../cli/top/recent.ts'
import { topRows, totals } from '../../../cli/top/rows.ts'
import type { HostStatus, Rollup } from '../../../wire/types.ts'
import { rollup, status } from './rollup.ts'

const second = 1_000_000

const recentOf = (rollups: readonly Rollup[], statuses: readonly HostStatus[] = [], spanMs = 10_000): RecentRollups => {
  const recent = new RecentRollups({ spanMs, partialAfterMs: 500 })
  for (const row of rollups) recent.add(row, 0)
  for (const row of statuses) recent.addStatus(row, 0)
  return recent
}

const callsPerSecond = (recent: RecentRollups): number => Number(totals(recent.parts('process', 0)).calls.toFixed(6))

test('the highest revision of a window replaces those before it, in whatever order they come', () => {
  const first = rollup({ count: 10, complete: false })
  const second = rollup({ count: 20, revision: 2 })
  for (const rows of [
    [first, second],
    [second, first],
    [second, second]
  ]) {
    const found = recentOf(rows).parts('process', 0)
    assert.deepEqual(
      found.map(({ rollup: { count }, seconds }) => [count, seconds]),
      [[20, 1]]
    )
  }
})

test('windows of another length, and those before the span, are left out', () => {
  const recent = recentOf(
    [
      rollup({ window_ms: 10_000, window_start: 0 }),
      rollup({ window_start: second }),
      rollup({ window_start: 3 * second }),
      rollup({ window_ms: 60_000, window_start: 0 })
    ],
    [],
    2000
  )
  const found = recent.parts('process', 0)
  assert.deepEqual(
    found.map(({ rollup: { window_start } }) => window_start),
    [3 * second]
  )
  assert.equal(found[0]?.seconds, 2)
})

test('rows of one kind alone are counted', () => {
  const recent = recentOf([rollup(), rollup({ by: 'workload', pid: 0 }), rollup({ by: 'go_function', pid: 0 })])
  for (const by of ['process', 'workload', 'go_function'] as const) {
    assert.deepEqual(
      recent.parts(by, 0).map((part) => part.rollup.by),
      [by]
    )
  }
})

test('the rate of a steady call that is told stays while the newest window is open', () => {
  const recent = recentOf([1, 2, 3].map((n) => rollup({ window_start: n * second, count: 100 })))
  assert.equal(callsPerSecond(recent), 100)
  recent.add(rollup({ window_start: 4 * second, count: 50, complete: false }), 0)
  assert.equal(callsPerSecond(recent), 100)
  recent.add(rollup({ window_start: 4 * second, count: 100, revision: 2 }), 0)
  assert.equal(callsPerSecond(recent), 100)
})

test('a call that is counted is not in the open window, and its rate stays as well', () => {
  const counted = (n: number): Rollup => rollup({ window_start: n * second, count: 100, syscall: 'futex' })
  const told = (n: number): Rollup => rollup({ window_start: n * second, count: 50, complete: false })
  const recent = recentOf([counted(1), counted(2), told(3)])
  const rates = topRows(recent.parts('process', 0), 'process-call', 'calls').map((row) => [
    row.syscall,
    row.calls_per_second
  ])
  assert.deepEqual(rates, [
    ['futex', 100],
    ['read', 20]
  ])
})

test('quiet windows count, by the statuses of their host; those before it was there do not', () => {
  const statuses = [1, 2, 3, 4, 5].map((n) => status({ window_start: n * second }))
  assert.equal(callsPerSecond(recentOf([rollup({ window_start: 2 * second, count: 100 })], statuses)), 20)
})

test('a host that lags has rates over windows of its own', () => {
  const windows = (host: string, from: number): Rollup[] =>
    [1, 2].map((n) => rollup({ host, window_start: (from + n) * second, count: 100 }))
  assert.equal(callsPerSecond(recentOf([...windows('a', 0), ...windows('b', 7)], [], 2000)), 200)
})

test('a host of which nothing came leaves the rows, and is still named', () => {
  const recent = new RecentRollups({ spanMs: 10_000, partialAfterMs: 500 })
  recent.add(rollup({ host: 'old' }), 1000)
  recent.add(rollup({ host: 'new' }), 9000)
  assert.deepEqual(
    recent.parts('process', 5000).map((part) => part.rollup.host),
    ['new']
  )
  assert.deepEqual(
    recent.hosts().map(({ host, heardMs }) => [host, heardMs]),
    [
      ['new', 9000],
      ['old', 1000]
    ]
  )
})

test('statuses say what was told, counted, lost, late and summed in other, each window once', () => {
  const lossy = status({
    window_start: 2 * second,
    watermark: 3_200_000,
    drops: [
      { class: 'file', reason: 'ring_full', count: 3 },
      { class: 'io', reason: 'spool_full', count: 4 }
    ],
    late: 2,
    others: 9
  })
  const [sight] = recentOf([], [status(), lossy, lossy]).hosts()
  assert.deepEqual(
    { ...sight },
    {
      host: 'a',
      watermarkMs: 3200,
      heardMs: 0,
      final: false,
      emittedPerSecond: 30,
      countedPerSecond: 70,
      lost: 7,
      late: 2,
      others: 9,
      calls: 200
    }
  )
})

test('a host whose clock was stepped back begins anew', () => {
  const recent = recentOf([rollup({ window_start: 1000 * second, count: 10 })])
  recent.add(rollup({ window_start: 500 * second, count: 70 }), 0)
  assert.equal(callsPerSecond(recent), 70)
})
