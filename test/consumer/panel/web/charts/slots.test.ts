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
  points: [pointAt(0), undefined, pointAt(20_000, { count: 0, errors: 0, complete: false })]
}

test('a window lies on the axis where its middle is', () => {
  assert.deepEqual(slots.middles(shown), [5, 15, 25])
})

test('windows that are still open are apart from those that have ended', () => {
  assert.deepEqual(slots.measured(shown, slots.callsPerSecond), [
    [10, null, null],
    [null, null, 0]
  ])
})

test('where nothing was called there is neither a share of errors nor a percentile', () => {
  const [first, , last] = shown.points
  assert.ok(first && last)
  assert.deepEqual([slots.errorShare(first, 10_000), slots.errorShare(last, 10_000)], [0.02, null])
  assert.deepEqual([slots.percentile('p99')(first, 1), slots.percentile('p99')(last, 1)], [9000, null])
})
