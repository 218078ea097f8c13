import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBytes, formatCount, formatNanoseconds, formatRate, formatShare } from '../../runtime/format-number.ts'

test('counts have thousands separators', () => {
  assert.equal(formatCount(1_234_567), '1,234,567')
})

test('rates keep three significant digits', () => {
  assert.deepEqual([0, 3.25, 12.345, 999.4, 12_345, 2_500_000].map(formatRate), [
    '0',
    '3.25',
    '12.3',
    '999',
    '12.3k',
    '2.50M'
  ])
})

test('a value that rounds to 1000 has the next unit', () => {
  assert.equal(formatRate(999.9), '1.00k')
  assert.equal(formatNanoseconds(999_900), '1.00ms')
})

test('durations have the unit of their magnitude', () => {
  assert.deepEqual([0, 950, 12_345, 2.5e9, 4e12].map(formatNanoseconds), ['0ns', '950ns', '12.3us', '2.50s', '4000s'])
})

test('bytes are in binary units', () => {
  assert.deepEqual([512, 64 << 20, 1536].map(formatBytes), ['512 B', '64.0 MiB', '1.50 KiB'])
})

test('a share of zero is a dash', () => {
  assert.equal(formatShare(1, 8), '12.5%')
  assert.equal(formatShare(0, 0), '-')
})
