import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ranges, windowFor } from '../../../../../consumer/panel/web/state/ranges.ts'

test('each range has the shortest windows that are kept for it and fit into a chart', () => {
  const chosen = ranges.map(({ ms }) => windowFor(ms, 0, [1000, 10_000, 60_000], [900_000, 7_200_000, 86_400_000]))
  assert.deepEqual(chosen, [1000, 1000, 10_000, 60_000])
})

test('a range that no window length is kept for has the longest kept one', () => {
  assert.equal(windowFor(86_400_000, 0, [1000, 10_000], [600_000, 7_200_000]), 10_000)
})

test('before the service has sent its window lengths, windows are 1 s', () => {
  assert.equal(windowFor(300_000, 0, [], []), 1000)
})

test('a range of long ago has longer windows, as short ones have expired', () => {
  assert.equal(windowFor(300_000, 3_600_000, [1000, 10_000], [900_000, 7_200_000]), 10_000)
})
