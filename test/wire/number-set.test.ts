import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Interval, NumberSet } from '../../wire/number-set.ts'
import { random } from '../consumer/support/random.ts'

const evicting = () => new NumberSet({ maxIntervals: 4096, whenFull: 'evict' })

test('numbers that arrive in order, with one missing, are in the set', () => {
  const set = evicting()
  for (const number of [5, 6, 8]) set.add(number)
  assert.deepEqual(
    [4, 5, 6, 7, 8, 9].map((number) => set.has(number)),
    [false, true, true, false, true, false]
  )
  assert.equal(set.last, 8)
})

test('an empty set has no number and no last one', () => {
  const set = evicting()
  assert.equal(set.has(0), false)
  assert.equal(set.last, undefined)
})

test('a set of numbers and overlapping ranges in any order agrees with a plain Set', () => {
  const next = random(7)
  for (let round = 0; round < 200; round++) {
    const [set, other] = [evicting(), evicting()]
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
    assert.equal(set.countWithin(0, 100), plain.size)
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

for (let seed = 1; seed <= 30; seed++) {
  test(`a set of large numbers with gaps, disorder and duplicates agrees with a plain Set (${seed})`, () => {
    const next = random(seed)
    const set = evicting()
    const truth = new Set<number>()
    const base = 2 ** 45
    const disorder = 1 + Math.floor(next() * 2 ** Math.floor(next() * 12))
    const gaps = next()
    for (let i = 0; i < 5000; i++) {
      if (next() < gaps / 2) continue
      const first = base + i - Math.floor(next() * disorder)
      const numbers = Array.from({ length: next() < 0.2 ? 1 + Math.floor(next() * 30) : 1 }, (_, at) => first + at)
      const last = first + numbers.length - 1
      assert.equal(
        set.hasAny(first, last),
        numbers.some((number) => truth.has(number))
      )
      set.add(first, last)
      for (const number of numbers) truth.add(number)
    }
    for (let number = base - disorder; number < base + 5031; number++) {
      assert.equal(set.has(number), truth.has(number), String(number))
    }
  })
}

test('a full set that evicts loses its lowest numbers', () => {
  const set = evicting()
  for (let number = 0; number < 20_000; number += 2) set.add(number)
  const known = Array.from({ length: 10_000 }, (_, i) => set.has(2 * i))
  const first = known.indexOf(true)
  assert.equal(known.lastIndexOf(false), first - 1)
  const kept = 10_000 - first
  assert.ok(kept > 3000 && kept <= 4097, `${kept} are kept`)
  set.add(1)
  assert.equal(set.has(19_998), true)
})

test('a full set that fills reports each of its lowest gaps once and then holds their numbers', () => {
  const filled: Interval[] = []
  const set = new NumberSet({ maxIntervals: 8, whenFull: 'fill', onFill: (gap) => filled.push(gap) })
  let added = 0
  for (let n = 0; n < 100; n += 2) added += set.add(n)
  assert.ok([...set.intervals()].length <= 8)
  assert.equal(added, 50)
  assert.deepEqual(filled[0], { first: 1, last: 1 })
  assert.deepEqual(
    filled.map(({ first }) => first),
    filled.map((_, i) => 2 * i + 1)
  )
  assert.equal(set.add(1), 0)
  assert.equal(set.add(97), 1)
})

test('intervals below a number expire, but never the highest one', () => {
  const set = evicting()
  for (const number of [1, 2, 5, 6, 9]) set.add(number)
  set.expireBelow(6)
  assert.deepEqual(
    [2, 5, 6, 9].map((number) => set.has(number)),
    [false, true, true, true]
  )
  set.expireBelow(100)
  assert.deepEqual(
    [5, 6, 9].map((number) => set.has(number)),
    [false, false, true]
  )
})
