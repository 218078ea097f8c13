import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ranges, windowFor } from '../../../../../consumer/panel/web/state/ranges.ts'

test('each range has the shortest windows that are kept for it and that a chart has room for', () => {
  const chosen = ranges.map(({ ms }) => windowFor(ms, 0, [1000, 10_000, 60_000], [900_000, 7_200_000, 86_400_000]))
  assert.deepEqual(chosen, [1000, 1000, 10_000, 60_000])
})

test('where nothing is kept for the whole range, what is kept the longest', () => {
  assert.equal(windowFor(86_400_000, 0, [1000, 10_000], [600_000, 7_200_000]), 10_000)
})

test('before the service has said what there is, the shortest usual', () => {
  assert.equal(windowFor(300_000, 0, [], []), 1000)
})

test('what ended long ago is in longer windows, as those of the shortest are gone', () => {
  assert.equal(windowFor(300_000, 3_600_000, [1000, 10_000], [900_000, 7_200_000]), 10_000)
})
