import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WindowSet } from '../../../consumer/rollups/window-set.ts'

const setUp = (floorUs = Number.NEGATIVE_INFINITY) =>
  new WindowSet({ sizesUs: [1, 10, 60], by: [], maxKeys: 100, floorUs })

test('windows are in the order of their starts, whatever the order of their first calls', () => {
  const windows = setUp()
  for (const startUs of [5, 2, 9]) windows.create(startUs)
  assert.deepEqual(
    windows.short.map(({ window }) => window.startUs),
    [2, 5, 9]
  )
  assert.equal(windows.find(5)?.window.startUs, 5)
  assert.equal(windows.find(6), undefined)
})

test('shortest windows share the longer ones that contain them', () => {
  const windows = setUp()
  const [first, second, third] = [1, 9, 10].map((startUs) => windows.create(startUs).longer)
  assert.deepEqual(first, second)
  assert.deepEqual(
    third?.map(({ startUs, endUs }) => [startUs, endUs]),
    [
      [10, 20],
      [0, 60]
    ]
  )
  assert.equal(windows.longer.length, 3)
})

test('a longer window that starts before the floor is never created', () => {
  assert.deepEqual(
    setUp(5)
      .create(12)
      .longer.map(({ startUs, endUs }) => [startUs, endUs]),
    [[10, 20]]
  )
})

test('windows expire when they end', () => {
  const windows = setUp()
  for (const startUs of [8, 9, 10]) windows.create(startUs)
  windows.expireBefore(10)
  assert.deepEqual(
    windows.short.map(({ window }) => window.startUs),
    [10]
  )
  assert.deepEqual(
    windows.longer.map(({ endUs }) => endUs),
    [60, 20]
  )
})
