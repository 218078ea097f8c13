import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Interval, NumberSet } from '../../verify/number-set.ts'
import { random } from '../consumer/support/random.ts'

test('numbers in any order, ranges that overlap: the set is that of a plain Set', () => {
  const next = random(7)
  for (let round = 0; round < 200; round++) {
    const [set, other] = [new NumberSet(), new NumberSet()]
    const [plain, plainOther] = [new Set<number>(), new Set<number>()]
    for (let i = 0; i < 60; i++) {
      const [into, plainInto] = next() < 0.5 ? [set, plain] : [other, plainOther]
      const first = Math.floor(next() * 80)
      const last = first + Math.floor(next() ** 3 * 12)
      let fresh = 0
      for (let n = first; n <= last; n++) {
        if (!plainInto.has(n)) fresh++
        plainInto.add(n)
      }
      assert.equal(into.add(first, last), fresh)
    }
    assert.equal(set.size, plain.size)
    const [from, to] = [Math.floor(next() * 40), 40 + Math.floor(next() * 40)]
    assert.equal(set.countWithin(from, to), [...plain].filter((n) => n >= from && n <= to).length)
    const missing = [...set.without(other)].flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i)
    )
    assert.deepEqual(
      missing,
      [...plain].filter((n) => !plainOther.has(n)).sort((a, b) => a - b)
    )
    const intervals = [...set.intervals()]
    for (const [i, { first }] of intervals.entries()) {
      if (i > 0) assert.ok(first > (intervals[i - 1]?.last ?? 0) + 1, 'neighbours are one interval')
    }
  }
})

test('with too many intervals the oldest gaps are told of, once, and are gaps no longer', () => {
  const settled: Interval[] = []
  const set = new NumberSet((gap) => settled.push(gap), 8)
  for (let n = 0; n < 100; n += 2) set.add(n)
  assert.ok([...set.intervals()].length <= 8)
  assert.equal(set.size, 50)
  assert.deepEqual(settled[0], { first: 1, last: 1 })
  assert.deepEqual(
    settled.map(({ first }) => first),
    settled.map((_, i) => 2 * i + 1)
  )
  assert.equal(set.add(1), 0)
  assert.equal(set.add(97), 1)
})
