import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconnectDelayMs } from '../../../../../consumer/panel/web/state/reconnect-delay.ts'

test('the delay doubles with each attempt, up to ten seconds', () => {
  const delays = [0, 1, 2, 3, 10, 1000].map((attempt) => reconnectDelayMs(attempt, 0))
  assert.deepEqual(delays, [250, 500, 1000, 2000, 10_000, 10_000])
})

test('up to half of the delay is random', () => {
  assert.equal(reconnectDelayMs(2, 1), 500)
})
