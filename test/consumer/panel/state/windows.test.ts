import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takes, Windows } from '../../../../consumer/panel/state/windows.ts'
import { row } from '../support/rows.ts'

const nowMs = 1_000_000_000
const create = (maxRows = 1000) => new Windows({ windowMs: 1000, keptMs: 10_000, maxRows })
const startsOf = (windows: Windows, change = -1) => windows.since(0, change).map(({ startMs }) => startMs)

test('the highest revision of a row is kept, whatever comes after it', () => {
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

test('windows come in order of time, those that changed after a number', () => {
  const windows = create()
  windows.add(row(3), 1, nowMs)
  windows.add(row(1), 2, nowMs)
  windows.hear('web-1', 2000, 3000, 5, 3, nowMs)
  assert.deepEqual(startsOf(windows), [1000, 2000, 3000])
  assert.deepEqual(startsOf(windows, 1), [1000, 2000])
  windows.add(row(3, { revision: 2 }), 4, nowMs)
  assert.deepEqual(startsOf(windows, 3), [3000])
  assert.deepEqual(
    windows.since(2500, -1).map(({ startMs }) => startMs),
    [3000]
  )
})

test('what is older than the span is let go, and not taken again', () => {
  const windows = create()
  for (const second of [1, 5, 11]) windows.add(row(second), second, nowMs)
  assert.deepEqual(startsOf(windows), [5000, 11_000])
  assert.equal(windows.add(row(1), 20, nowMs), false)
  assert.equal(windows.hear('web-1', 1000, 2000, 1, 21, nowMs), false)
  assert.equal(windows.rows, 2)
})

test('a host whose clock is ahead pushes out nobody', () => {
  const windows = create()
  windows.add(row(5), 1, 6000)
  windows.add(row(500, { host: 'ahead' }), 2, 6000)
  windows.add(row(6), 3, 7000)
  assert.deepEqual(startsOf(windows), [5000, 6000, 500_000])
})

test('however far ahead a clock is, windows are bounded', () => {
  const windows = create()
  for (let second = 0; second < 100; second++) {
    windows.hear('ahead', 1e12 + second * 1000, 1e12, 0, second, nowMs)
    windows.add(row(second), second, nowMs)
  }
  assert.equal(startsOf(windows).length, 20)
  assert.deepEqual(
    startsOf(windows).slice(0, 10),
    [90, 91, 92, 93, 94, 95, 96, 97, 98, 99].map((s) => s * 1000)
  )
})

test('a host with more rows than its share loses its oldest, and no other host any', () => {
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

test('series that no window has any more are forgotten', () => {
  const windows = create()
  for (let pid = 1; pid < 5000; pid++) windows.add(row(pid, { pid }), pid, nowMs)
  assert.ok([...windows.series].length < 2100)
  assert.equal(windows.rows, 10)
})

test('a filter takes what has all the names that it gives', () => {
  const windows = create()
  windows.add(row(1), 1, nowMs)
  const [series] = windows.series
  assert.ok(series !== undefined)
  for (const filter of [{}, { host: 'web-1' }, { host: 'web-1', workload: '/usr/bin/curl', call: 'read' }]) {
    assert.equal(takes(filter, series), true)
  }
  for (const filter of [{ host: 'web-2' }, { workload: '' }, { host: 'web-1', call: 'write' }]) {
    assert.equal(takes(filter, series), false)
  }
})
