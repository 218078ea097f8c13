import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketOf, bucketValue, Sketch } from '../../../consumer/rollups/sketch.ts'
import { random } from '../support/random.ts'

const quantiles = [0.5, 0.95, 0.99, 1]

const nearestRank = (sorted: readonly number[], q: number): number =>
  sorted[Math.max(1, Math.ceil(q * sorted.length - 1e-9 * sorted.length)) - 1] as number

const sketchOf = (values: readonly number[]): Sketch => {
  const sketch = new Sketch()
  for (const value of values) sketch.record(value)
  return sketch
}

test('a bucket stands for every value in it within 1/64', () => {
  const next = random(1)
  for (let i = 0; i < 100_000; i++) {
    const value = Math.floor(2 ** (next() * 53))
    const stands = bucketValue(bucketOf(value))
    assert.ok(Math.abs(stands - value) <= value / 64, `${value} became ${stands}`)
    assert.ok(Number.isSafeInteger(stands))
  }
})

test('values below 64 are exact', () => {
  for (let value = 0; value < 64; value++) assert.equal(bucketValue(bucketOf(value)), value)
})

test('buckets rise with their values', () => {
  const next = random(2)
  const values = Array.from({ length: 10_000 }, () => Math.floor(2 ** (next() * 53))).sort((a, b) => a - b)
  for (let i = 1; i < values.length; i++) {
    assert.ok(bucketOf(values[i] as number) >= bucketOf(values[i - 1] as number))
  }
})

test('the largest duration has a bucket', () => {
  assert.ok(Number.isSafeInteger(bucketValue(bucketOf(Number.MAX_SAFE_INTEGER))))
})

for (const count of [1, 2, 31, 32, 33, 200, 10_000]) {
  test(`quantiles of ${count} values are within 1.6% of the true ones`, () => {
    const next = random(count)
    const values = Array.from({ length: count }, () => Math.floor(2 ** (next() * 34)))
    const sketch = sketchOf(values)
    const sorted = values.sort((a, b) => a - b)
    const found = sketch.quantiles(quantiles)
    assert.equal(sketch.count, count)
    for (const [i, q] of quantiles.entries()) {
      const truth = nearestRank(sorted, q)
      assert.ok(Math.abs((found[i] as number) - truth) <= truth / 64, `q ${q}: ${found[i]} instead of ${truth}`)
    }
  })
}

test('values that come from high to low widen the buckets downwards', () => {
  const values = Array.from({ length: 100 }, (_, i) => 2 ** (40 - i / 4))
  const [median] = sketchOf(values).quantiles([0.5])
  const truth = nearestRank(values.sort((a, b) => a - b).map(Math.floor), 0.5)
  assert.ok(Math.abs((median as number) - truth) <= truth / 32)
})

test('an empty sketch has quantiles of 0', () => {
  assert.deepEqual(new Sketch().quantiles(quantiles), [0, 0, 0, 0])
})
