import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  limitsFromZero,
  logarithmicLimits,
  logarithmicTicks,
  octaveTicks,
  timeTick
} from '../../../../../consumer/panel/web/charts/axis.ts'

test('times have seconds when ticks are less than a minute apart', () => {
  const noon = new Date(2026, 0, 31, 12, 3, 4).getTime() / 1000
  assert.equal(timeTick(noon, 60), '12:03')
  assert.equal(timeTick(noon, 15), '12:03:04')
})

test('a scale ends at a round number above the maximum', () => {
  assert.deepEqual(
    [null, 0.2, 1, 7.9, 99, 17_900].map((max) => limitsFromZero(max, 1)[1]),
    [1, 1, 1.5, 10, 150, 20_000]
  )
})

test('a logarithmic scale starts and ends at 1, 2 or 5 times a power of ten', () => {
  assert.deepEqual(logarithmicLimits(1234, 48_000), [1000, 50_000])
  assert.deepEqual(logarithmicLimits(null, null), [1000, 1_000_000])
  assert.deepEqual(logarithmicLimits(0, 0), [1, 2])
})

test('a wide scale has ticks at powers of ten, a narrow one also between them', () => {
  assert.deepEqual(logarithmicTicks(1000, 50_000), [1000, 2000, 5000, 10_000, 20_000, 50_000])
  assert.deepEqual(logarithmicTicks(1000, 5e7), [1000, 10_000, 100_000, 1e6, 1e7])
})

test('ticks of an octave axis are at powers of ten', () => {
  assert.deepEqual(octaveTicks(9, 24), [1e3, 1e4, 1e5, 1e6, 1e7].map(Math.log2))
})
