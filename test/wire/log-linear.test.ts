import assert from 'node:assert/strict'
import { test } from 'node:test'
import { highestOf, indexOf, lowestOf, middleOf } from '../../wire/log-linear.ts'
import { random } from '../consumer/support/random.ts'

test('the middle of a bucket is within 1/64 of every value in it', () => {
  const next = random(1)
  for (let i = 0; i < 100_000; i++) {
    const value = Math.floor(2 ** (next() * 53))
    const middle = middleOf(indexOf(value))
    assert.ok(Math.abs(middle - value) <= value / 64, `${value} became ${middle}`)
    assert.ok(Number.isSafeInteger(middle))
  }
})

test('values below 64 are exact', () => {
  for (let value = 0; value < 64; value++) assert.equal(middleOf(indexOf(value)), value)
})

test('buckets ascend with their values', () => {
  const next = random(2)
  const values = Array.from({ length: 10_000 }, () => Math.floor(2 ** (next() * 53))).sort((a, b) => a - b)
  for (let i = 1; i < values.length; i++) {
    assert.ok(indexOf(values[i] as number) >= indexOf(values[i - 1] as number))
  }
})

test('the largest duration has a bucket', () => {
  assert.ok(Number.isSafeInteger(middleOf(indexOf(Number.MAX_SAFE_INTEGER))))
})

test('the edges of a bucket are in it, and the next one begins without a gap', () => {
  for (let index = 5 * 32; index < 53 * 32 - 1; index++) {
    assert.deepEqual([lowestOf(index), highestOf(index), middleOf(index)].map(indexOf), [index, index, index])
    assert.equal(lowestOf(index + 1), highestOf(index) + 1)
  }
  assert.deepEqual([-1, 0, 32, 48].map(lowestOf), [0, 1, 2, 3])
  assert.deepEqual([-1, 0, 32, 48].map(highestOf), [0, 1, 2, 3])
})
