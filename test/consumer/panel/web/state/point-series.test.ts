import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PointSeries } from '../../../../../consumer/panel/web/state/point-series.ts'
import { pointAt } from '../points.ts'

const seriesOf = (...times: number[]): PointSeries => {
  const series = new PointSeries()
  series.add(times.map((time) => pointAt(time)))
  return series
}

const timesOf = (series: PointSeries): number[] =>
  series.slots(0, 100_000, 1000).points.flatMap((point) => point?.timeMs ?? [])

test('points are ordered by time; the last one of a window replaces earlier ones', () => {
  const series = seriesOf(1000, 2000, 4000)
  series.add([pointAt(3000), pointAt(2000, { count: 7 })])
  assert.deepEqual(timesOf(series), [1000, 2000, 3000, 4000])
  assert.equal(series.slots(2000, 3000, 1000).points[0]?.count, 7)
})

test('replaceFrom() replaces the points of its time and keeps older ones', () => {
  const series = seriesOf(1000, 2000, 3000)
  series.replaceFrom(2000, [pointAt(4000)])
  assert.deepEqual(timesOf(series), [1000, 4000])
})

test('expireBefore() removes old points', () => {
  const series = seriesOf(1000, 2000, 3000)
  series.expireBefore(2000)
  assert.deepEqual(timesOf(series), [2000, 3000])
  series.expireBefore(9000)
  assert.equal(series.size, 0)
})

test('a window without a point has an empty slot', () => {
  const { times, points } = seriesOf(1000, 3000).slots(500, 4000, 1000)
  assert.deepEqual(times, [1000, 2000, 3000])
  assert.deepEqual(
    points.map((point) => point?.timeMs),
    [1000, undefined, 3000]
  )
})

test('the newest complete point is of a closed window', () => {
  const series = seriesOf(1000)
  series.add([pointAt(2000, { complete: false })])
  assert.equal(series.newest?.timeMs, 2000)
  assert.equal(series.newestComplete?.timeMs, 1000)
})

test('each change has a new revision', () => {
  const series = seriesOf(1000)
  const before = series.revision
  series.add([pointAt(1000)])
  assert.notEqual(series.revision, before)
})
