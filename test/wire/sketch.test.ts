import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indexOf, middleOf } from '../../wire/log-linear.ts'
import { Sketch } from '../../wire/sketch.ts'
import { random } from '../consumer/support/random.ts'

const quantiles = [0.5, 0.95, 0.99, 1]

const nearestRank = (sorted: readonly number[], q: number): number =>
  sorted[Math.max(1, Math.ceil(q * sorted.length - 1e-9 * sorted.length)) - 1] as number

const sketchOf = (values: readonly number[]): Sketch => {
  const sketch = new Sketch()
  for (const value of values) sketch.record(value)
  return sketch
}

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

test('values recorded in descending order extend the buckets downwards', () => {
  const values = Array.from({ length: 100 }, (_, i) => 2 ** (40 - i / 4))
  const [median] = sketchOf(values).quantiles([0.5])
  const truth = nearestRank(values.sort((a, b) => a - b).map(Math.floor), 0.5)
  assert.ok(Math.abs((median as number) - truth) <= truth / 32)
})

test('an empty sketch has quantiles of 0', () => {
  assert.deepEqual(new Sketch().quantiles(quantiles), [0, 0, 0, 0])
})

for (const most of [20, 400, 20_000]) {
  test(`sketches of up to ${most} values, merged in any order, equal one sketch of all values`, () => {
    const next = random(most)
    const part = () => Array.from({ length: Math.floor(next() * most) }, () => Math.floor(2 ** (next() * 40) - 1))
    for (let round = 0; round < 20; round++) {
      const [a, b, c] = [part(), part(), part()]
      const all = sketchOf([...a, ...b, ...c])
      const [left, right, bc] = [sketchOf(a), sketchOf(a), sketchOf(b)]
      left.merge(sketchOf(b))
      left.merge(sketchOf(c))
      bc.merge(sketchOf(c))
      right.merge(bc)
      const fromBuckets = Sketch.of(sketchOf(c).buckets(), sketchOf(a).buckets(), sketchOf(b).buckets())
      for (const merged of [left, right, fromBuckets]) {
        assert.equal(merged.count, a.length + b.length + c.length)
        assert.deepEqual(merged.buckets(), all.buckets())
      }
      assert.deepEqual(left.quantiles(quantiles), all.quantiles(quantiles))
      assert.deepEqual(right.quantiles(quantiles), all.quantiles(quantiles))
    }
  })
}

test('buckets are in order and none is empty, and values below 1 are in the bucket of 1', () => {
  for (const times of [1, 100]) {
    const sketch = sketchOf([1000, 0, 1, 1001, 7].flatMap((value) => Array<number>(times).fill(value)))
    assert.deepEqual(sketch.buckets(), [
      { index: 0, count: 2 * times },
      { index: indexOf(7), count: times },
      { index: indexOf(1000), count: 2 * times }
    ])
  }
})

test('zeros are counted also when all other values are far above them', () => {
  const sketch = sketchOf([...Array<number>(60).fill(0), ...Array<number>(40).fill(5000)])
  assert.deepEqual(sketch.quantiles([0.5, 0.6, 0.61]), [0, 0, middleOf(indexOf(5000))])
  assert.deepEqual(sketch.buckets(), [
    { index: 0, count: 60 },
    { index: indexOf(5000), count: 40 }
  ])
})

test('a count may exceed 32 bits', () => {
  const sketch = Sketch.of([{ index: 320, count: 2 ** 32 - 1 }], [{ index: 320, count: 2 ** 40 }])
  sketch.record(1)
  sketch.record(2 ** 50)
  assert.deepEqual(sketch.buckets(), [
    { index: 0, count: 1 },
    { index: 320, count: 2 ** 40 + 2 ** 32 - 1 },
    { index: 1600, count: 1 }
  ])
})

test('an index beyond the last bucket counts as the last', () => {
  const last = indexOf(2 ** 60)
  for (const count of [1, 100])
    assert.deepEqual(Sketch.of([{ index: 2047, count }]).buckets(), [{ index: last, count }])
})
