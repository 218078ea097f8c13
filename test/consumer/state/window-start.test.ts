import assert from 'node:assert/strict'
import { test } from 'node:test'
import { windowStart } from '../../../consumer/state/window-start.ts'

test('a window includes its start and excludes its end', () => {
  assert.deepEqual(
    [0, 9, 10, 19, -1].map((timeUs) => windowStart(timeUs, 10)),
    [0, 0, 10, 10, -10]
  )
})
