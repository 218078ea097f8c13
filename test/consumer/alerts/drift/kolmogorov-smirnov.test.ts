import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distance, probability } from '../../../../consumer/alerts/drift/kolmogorov-smirnov.ts'
import { Sketch } from '../../../../wire/sketch.ts'
import { Chance } from './support/streams.ts'

const of = (...values: number[]): Sketch => {
  const sketch = new Sketch()
  for (const value of values) sketch.record(value)
  return sketch
}

test('the distance is the largest difference of the two distribution functions', () => {
  const a = [
    { index: 1, count: 2 },
    { index: 5, count: 2 }
  ]
  const b = [
    { index: 1, count: 1 },
    { index: 3, count: 2 },
    { index: 5, count: 1 }
  ]
  assert.equal(distance(a, a), 0)
  assert.equal(distance(a, b), 0.25)
  assert.equal(distance(b, a), 0.25)
  assert.equal(distance([{ index: 1, count: 7 }], [{ index: 2, count: 3 }]), 1)
})

test('the distance of buckets never exceeds the distance of their values', () => {
  const chance = new Chance(1)
  for (let round = 0; round < 50; round++) {
    const [a, b] = [0, 0.3].map((shift) =>
      Array.from({ length: 200 }, () => Math.floor(50_000 * Math.exp(shift * chance.uniform() + 0.5 * chance.normal())))
    ) as [number[], number[]]
    const exact = [...a, ...b].reduce((most, at) => {
      const share = (values: number[]) => values.filter((value) => value <= at).length / values.length
      return Math.max(most, Math.abs(share(a) - share(b)))
    }, 0)
    const [x, y] = [of(...a).buckets(), of(...b).buckets()]
    const fullest = Math.max(...[...x, ...y].map(({ count }) => count / 200))
    const found = distance(x, y)
    assert.ok(found <= exact + 1e-12 && found >= exact - fullest, `${exact} ${found}`)
  }
})

test('the probability agrees with published tables', () => {
  // Smirnov (1948): quantiles of the limit distribution for 10%, 5%, 1% and 0.1%.
  const n = 1e8
  const root = Math.sqrt(n / 2)
  for (const [x, p] of [
    [1.2238, 0.1],
    [1.3581, 0.05],
    [1.6276, 0.01],
    [1.9495, 0.001]
  ] as const) {
    assert.ok(Math.abs(probability(x / root, n, n) / p - 1) < 0.01, String(x))
  }
  assert.equal(probability(0, 10, 10), 1)
  assert.ok(probability(1, 12, 180) < 1e-9)
})

test('two samples of one distribution reach a distance as often as its probability says', () => {
  const chance = new Chance(7)
  const sample = (n: number) => of(...Array.from({ length: n }, () => 1e6 * Math.exp(2 * chance.normal()))).buckets()
  const rounds = 2000
  let below = 0
  for (let round = 0; round < rounds; round++) if (probability(distance(sample(60), sample(90)), 60, 90) < 0.1) below++
  assert.ok(below / rounds < 0.12 && below / rounds > 0.05, String(below))
})
