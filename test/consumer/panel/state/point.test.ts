import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pointOf } from '../../../../consumer/panel/state/point.ts'
import { Sketch } from '../../../../wire/sketch.ts'
import { row, windowsOf } from '../support/rows.ts'

const firstPoint = (windows: ReturnType<typeof windowsOf>, filter = {}) => {
  const [window] = windows.since(0, -1)
  assert.ok(window !== undefined)
  return pointOf(window, 1000, filter)
}

test('a point merges the rows of its window: sums are exact, percentiles are those of the merged distribution', () => {
  const one = row(1, { count: 500, failed: 3, expected: 20 })
  const two = row(1, {
    host: 'web-2',
    count: 4,
    failed: 0,
    expected: 1,
    max_ns: 70_000,
    latency: [{ index: 500, count: 4 }]
  })
  const [p50, p95, p99] = Sketch.of(one.latency, two.latency).quantiles([0.5, 0.95, 0.99])
  assert.deepEqual(firstPoint(windowsOf(one, two)), {
    timeMs: 1000,
    count: 504,
    failed: 3,
    expected: 21,
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

test('a point is open while a row of its hosts is open', () => {
  const windows = windowsOf(row(1), row(1, { syscall: 'write', complete: false }), row(1, { host: 'web-2' }))
  assert.equal(firstPoint(windows)?.complete, false)
  assert.equal(firstPoint(windows, { call: 'read' })?.complete, false)
  assert.equal(firstPoint(windows, { host: 'web-2' })?.complete, true)
})

test('a point has the losses of the selected hosts, also without calls', () => {
  const windows = windowsOf()
  windows.addStatus('web-1', 1000, 2000, 7, 1, 1e12)
  windows.addStatus('web-2', 1000, 2000, 2, 2, 1e12)
  assert.equal(firstPoint(windows)?.lost, 9)
  assert.deepEqual(firstPoint(windows, { host: 'web-1', call: 'read' }), {
    timeMs: 1000,
    count: 0,
    failed: 0,
    expected: 0,
    p50: 0,
    p95: 0,
    p99: 0,
    max: 0,
    heat: [],
    lost: 7,
    complete: true
  })
})
