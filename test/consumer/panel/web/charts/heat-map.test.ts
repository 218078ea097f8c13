import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cellsByLevel,
  heatMapOf,
  legendCounts,
  levelOf,
  levels,
  octaveBounds
} from '../../../../../consumer/panel/web/charts/heat-map.ts'
import { pointAt } from '../points.ts'

test('slots with a point have cells, grouped by level', () => {
  const points = [undefined, pointAt(1000)]
  const { maxCount } = heatMapOf(points)
  assert.equal(maxCount, 60)
  const cells = cellsByLevel(points, maxCount)
  assert.deepEqual(cells[levelOf(60, 60)], [1, 9])
  assert.deepEqual(cells[levelOf(40, 60)], [1, 13])
  assert.equal(cells.flat().length, 4)
})

test('the range of octaves grows with the data and always includes the usual octaves', () => {
  const usual = heatMapOf([pointAt(0)])
  assert.deepEqual([usual.fromOctave, usual.toOctave], [9, 24])
  const wide = heatMapOf([
    pointAt(0, {
      heat: [
        [3, 1],
        [33, 1]
      ]
    })
  ])
  assert.deepEqual([wide.fromOctave, wide.toOctave], [3, 34])
})

test('one call has the lowest level, the maximum the highest; equal factors are equal steps', () => {
  assert.deepEqual([levelOf(1, 10_000), levelOf(10_000, 10_000)], [0, levels - 1])
  assert.ok(Math.abs(levelOf(100, 10_000) - (levels - 1) / 2) <= 0.5)
  assert.equal(levelOf(1, 1), levels - 1)
})

test('the legend has distinct counts from 1 to the maximum', () => {
  assert.deepEqual(legendCounts(10_000), [1, 10, 100, 1000, 10_000])
  assert.deepEqual(legendCounts(2), [1, 2])
  assert.deepEqual(legendCounts(0), [1])
})

test('an octave starts at its power of two and ends before the next', () => {
  assert.deepEqual(octaveBounds(10), [1024, 2048])
})
