import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matches, Windows } from '../../../../consumer/panel/state/windows.ts'
import { row } from '../support/rows.ts'

const nowMs = 1_000_000_000
const create = (maxRows = 1000) => new Windows({ windowMs: 1000, keptMs: 10_000, maxRows })
const startsOf = (windows: Windows, change = -1) => windows.since(0, change).map(({ startMs }) => startMs)

test('the highest revision of a row is kept; lower and equal ones are ignored', () => {
  const windows = create()
  assert.equal(windows.add(row(1, { revision: 2, count: 20 }), 1, nowMs), true)
  assert.equal(windows.add(row(1, { revision: 1, count: 10 }), 2, nowMs), false)
  assert.equal(windows.add(row(1, { revision: 2, count: 11 }), 3, nowMs), false)
  assert.equal(windows.add(row(1, { revision: 3, count: 30 }), 4, nowMs), true)
  const [window] = windows.since(0, -1)
  assert.deepEqual(
    [...(window?.cells.values() ?? [])].map(({ count, latency }) => [count, latency]),
    [[30, [497 * 2048 + 338, 3 * 2048 + 434]]]
  )
  assert.equal(windows.rows, 1)
})

test('windows that changed after a change number are returned ordered by time', () => {
  const windows = create()
  windows.add(row(3), 1, nowMs)
  windows.add(row(1), 2, nowMs)
  windows.addStatus('web-1', 2000, 3000, 5, 3, nowMs)
  assert.deepEqual(startsOf(windows), [1000, 2000, 3000])
  assert.deepEqual(startsOf(windows, 1), [1000, 2000])
  windows.add(row(3, { revision: 2 }), 4, nowMs)
  assert.deepEqual(startsOf(windows, 3), [3000])
  assert.deepEqual(
    windows.since(2500, -1).map(({ startMs }) => startMs),
    [3000]
  )
})

test('a window older than the kept time expires and is not added again', () => {
  const windows = create()
  for (const second of [1, 5, 11]) windows.add(row(second), second, nowMs)
  assert.deepEqual(startsOf(windows), [5000, 11_000])
  assert.equal(windows.add(row(1), 20, nowMs), false)
  assert.equal(windows.addStatus('web-1', 1000, 2000, 1, 21, nowMs), false)
  assert.equal(windows.rows, 2)
})

test('a host whose clock is ahead expires no window of other hosts', () => {
  const windows = create()
  windows.add(row(5), 1, 6000)
  windows.add(row(500, { host: 'ahead' }), 2, 6000)
  windows.add(row(6), 3, 7000)
  assert.deepEqual(startsOf(windows), [5000, 6000, 500_000])
})

test('the number of windows is bounded even if a clock is ahead', () => {
  const windows = create()
  for (let second = 0; second < 100; second++) {
    windows.addStatus('ahead', 1e12 + second * 1000, 1e12, 0, second, nowMs)
    windows.add(row(second), second, nowMs)
  }
  assert.equal(startsOf(windows).length, 20)
  assert.deepEqual(
    startsOf(windows).slice(0, 10),
    [90, 91, 92, 93, 94, 95, 96, 97, 98, 99].map((s) => s * 1000)
  )
})

test('a host with more rows than its share loses its oldest rows; other hosts lose none', () => {
  const windows = create(100)
  for (let second = 0; second < 5; second++) windows.add(row(second, { host: 'small' }), 1, nowMs)
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 10; i++) windows.add(row(second, { host: 'large', syscall: `call${i}` }), 1, nowMs)
  }
  const ofHost = (host: string) =>
    windows.since(0, -1).map(({ cells }) => [...cells.keys()].filter((series) => series.host === host).length)
  assert.ok(windows.rows <= 55, String(windows.rows))
  assert.deepEqual(ofHost('small').slice(0, 5), [1, 1, 1, 1, 1])
  assert.equal(ofHost('large').at(-1), 10)
  assert.equal(ofHost('large')[0], 0)
})

test('series without a row in any window are removed', () => {
  const windows = create()
  for (let pid = 1; pid < 5000; pid++) windows.add(row(pid, { pid }), pid, nowMs)
  assert.ok([...windows.series].length < 2100)
  assert.equal(windows.rows, 10)
})

test('a filter matches series with all its names', () => {
  const windows = create()
  windows.add(row(1), 1, nowMs)
  const [series] = windows.series
  assert.ok(series !== undefined)
  for (const filter of [{}, { host: 'web-1' }, { host: 'web-1', workload: '/usr/bin/curl', call: 'read' }]) {
    assert.equal(matches(filter, series), true)
  }
  for (const filter of [{ host: 'web-2' }, { workload: '' }, { host: 'web-1', call: 'write' }]) {
    assert.equal(matches(filter, series), false)
  }
})
