import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration, parseSince } from '../../../cli/terminal/duration.ts'

test('a duration is a number and a unit', () => {
  assert.equal(parseDuration('30s'), 30_000)
  assert.equal(parseDuration('1.5m'), 90_000)
  assert.equal(parseDuration('2h'), 7_200_000)
  assert.equal(parseDuration('1d'), 86_400_000)
  assert.equal(parseDuration('250ms'), 250)
})

for (const text of ['', '5', 's', '-5s', '0s', '5 s', '5x', '1e3s', 'NaNs']) {
  test(`"${text}" is refused as a duration, and the error shows valid ones`, () => {
    assert.throws(() => parseDuration(text), { code: 'USAGE', message: /is not a duration.*30s/ })
  })
}

test('since is a duration before now or an ISO time', () => {
  assert.equal(parseSince('5m', 1_000_000), 700_000)
  assert.equal(parseSince('2026-01-31T12:00:00Z', 0), Date.UTC(2026, 0, 31, 12))
  for (const text of ['yesterday', '2026-13-40', '5']) {
    assert.throws(() => parseSince(text, 0), { code: 'USAGE', message: /neither a duration .* nor an ISO time/ })
  }
})

test('a formatted duration has two units at most', () => {
  assert.equal(formatDuration(4234), '4.2 s')
  assert.equal(formatDuration(59_949), '59.9 s')
  assert.equal(formatDuration(59_950), '1 min 0 s')
  assert.equal(formatDuration(90_000), '1 min 30 s')
  assert.equal(formatDuration(7_500_000), '2 h 5 min')
})
