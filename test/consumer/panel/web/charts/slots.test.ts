import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as slots from '../../../../../consumer/panel/web/charts/slots.ts'
import { pointAt } from '../points.ts'

const shown: slots.Slots = {
  windowMs: 10_000,
  fromMs: 0,
  toMs: 30_000,
  isFilled: true,
  times: [0, 10_000, 20_000],
  points: [pointAt(0), undefined, pointAt(20_000, { count: 0, failed: 0, complete: false })]
}

test('a window is on the time axis at its middle', () => {
  assert.deepEqual(slots.middles(shown), [5, 15, 25])
})

test('open windows are separate from closed ones', () => {
  assert.deepEqual(slots.measured(shown, slots.callsPerSecond), [
    [10, null, null],
    [null, null, 0]
  ])
})

test('a window without calls has no share of failed calls and no percentile', () => {
  const [first, , last] = shown.points
  assert.ok(first && last)
  assert.deepEqual([slots.failedShare(first, 10_000), slots.failedShare(last, 10_000)], [0.02, null])
  assert.deepEqual([slots.percentile('p99')(first, 1), slots.percentile('p99')(last, 1)], [9000, null])
})

test('more failed connects than calls in a window are a share of 1', () => {
  assert.equal(slots.failedShare(pointAt(0, { count: 1, failed: 3 }), 1000), 1)
})

test('a chart is loading, empty, current or stale', () => {
  const none = { ...shown, points: [undefined, undefined, undefined] }
  assert.equal(slots.chartState({ ...none, isFilled: false }, true), 'loading')
  assert.equal(slots.chartState(none, true), 'empty')
  assert.equal(slots.chartState(shown, true), 'stale')
  assert.equal(slots.chartState(shown, false), 'current')
})
