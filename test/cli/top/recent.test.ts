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

test('the highest revision of a window replaces the others, in any order of arrival', () => {
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

test('longer windows, and windows before the span, are not shown', () => {
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

test('only rows of the requested kind are summed', () => {
  const recent = recentOf([rollup(), rollup({ by: 'workload', pid: 0 }), rollup({ by: 'go_function', pid: 0 })])
  for (const by of ['process', 'workload', 'go_function'] as const) {
    assert.deepEqual(
      recent.parts(by, 0).map((part) => part.rollup.by),
      [by]
    )
  }
})

test('the rate of a steady emitted call stays the same while the newest window is open', () => {
  const recent = recentOf([1, 2, 3].map((n) => rollup({ window_start: n * second, count: 100 })))
  assert.equal(callsPerSecond(recent), 100)
  recent.add(rollup({ window_start: 4 * second, count: 50, complete: false }), 0)
  assert.equal(callsPerSecond(recent), 100)
  recent.add(rollup({ window_start: 4 * second, count: 100, revision: 2 }), 0)
  assert.equal(callsPerSecond(recent), 100)
})

test('the rate of a steady counted call stays the same, though open windows do not have it', () => {
  const counted = (n: number): Rollup => rollup({ window_start: n * second, count: 100, syscall: 'futex' })
  const emitted = (n: number): Rollup => rollup({ window_start: n * second, count: 50, complete: false })
  const recent = recentOf([counted(1), counted(2), emitted(3)])
  const rates = topRows(recent.parts('process', 0), 'process-call', 'calls').map((row) => [
    row.syscall,
    row.calls_per_second
  ])
  assert.deepEqual(rates, [
    ['futex', 100],
    ['read', 20]
  ])
})

test('seconds without calls lower the rate, from the first status of their host on', () => {
  const statuses = [1, 2, 3, 4, 5].map((n) => status({ window_start: n * second }))
  assert.equal(callsPerSecond(recentOf([rollup({ window_start: 2 * second, count: 100 })], statuses)), 20)
})

test('a host that lags has rates over its own newest windows', () => {
  const windows = (host: string, from: number): Rollup[] =>
    [1, 2].map((n) => rollup({ host, window_start: (from + n) * second, count: 100 }))
  assert.equal(callsPerSecond(recentOf([...windows('a', 0), ...windows('b', 7)], [], 2000)), 200)
})

test('a silent host has no rows, and is still listed', () => {
  const recent = new RecentRollups({ spanMs: 10_000, partialAfterMs: 500 })
  recent.add(rollup({ host: 'old' }), 1000)
  recent.add(rollup({ host: 'new' }), 9000)
  assert.deepEqual(
    recent.parts('process', 5000).map((part) => part.rollup.host),
    ['new']
  )
  assert.deepEqual(
    recent.hosts().map(({ host, lastMessageMs }) => [host, lastMessageMs]),
    [
      ['new', 9000],
      ['old', 1000]
    ]
  )
})

test('host figures sum emitted, counted, dropped, late and other calls, each window once', () => {
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
  const [figures] = recentOf([], [status(), lossy, lossy]).hosts()
  assert.deepEqual(
    { ...figures },
    {
      host: 'a',
      watermarkMs: 3200,
      lastMessageMs: 0,
      final: false,
      emittedPerSecond: 30,
      countedPerSecond: 70,
      dropped: 7,
      late: 2,
      others: 9,
      calls: 200
    }
  )
})

test('figures of a host are over the seconds whose status has arrived, whichever topic is ahead', () => {
  const statuses = [1, 2].map((n) => status({ window_start: n * second, events: 30, counted: 70 }))
  const rollups = [1, 2, 3].map((n) => rollup({ window_start: n * second, count: 100 }))
  const [figures] = recentOf(rollups, statuses).hosts()
  assert.deepEqual([figures?.emittedPerSecond, figures?.countedPerSecond], [30, 70])
})

test('rows before a clock step back are cleared', () => {
  const recent = recentOf([rollup({ window_start: 1000 * second, count: 10 })])
  recent.add(rollup({ window_start: 500 * second, count: 70 }), 0)
  assert.equal(callsPerSecond(recent), 70)
})
