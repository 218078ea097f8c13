import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bounded, maxLong } from '../../wire/bounded.ts'
import { encode } from '../../wire/codec.ts'
import { samples } from '../support/records.ts'

test('a sum stays within what a record can have', () => {
  assert.equal(bounded(7), 7)
  assert.equal(bounded(2 ** 60), maxLong)
  const row = { ...samples.Rollup, count: bounded(2 ** 60) }
  assert.ok(encode('Rollup', row).length > 0)
  assert.throws(() => encode('Rollup', { ...row, count: 2 ** 53 }))
})
