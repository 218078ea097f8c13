import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeenNumbers } from '../../../consumer/loop/seen-numbers.ts'
import { random } from '../support/random.ts'

test('numbers in order, with one left out, are known', () => {
  const seen = new SeenNumbers()
  for (const number of [5, 6, 8]) seen.add(number)
  assert.deepEqual(
    [4, 5, 6, 7, 8, 9].map((number) => seen.has(number)),
    [false, true, true, false, true, false]
  )
  assert.equal(seen.top, 8)
})

for (let seed = 1; seed <= 30; seed++) {
  test(`numbers and ranges in random order, with gaps and duplicates, are those of a set (${seed})`, () => {
    const next = random(seed)
    const seen = new SeenNumbers()
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
        seen.hasAny(first, last),
        numbers.some((number) => truth.has(number))
      )
      seen.add(first, last)
      for (const number of numbers) truth.add(number)
    }
    for (let number = base - disorder; number < base + 5031; number++) {
      assert.equal(seen.has(number), truth.has(number), String(number))
    }
  })
}

test('beyond the bound the lowest numbers are forgotten, and taken for new', () => {
  const seen = new SeenNumbers()
  for (let number = 0; number < 20_000; number += 2) seen.add(number)
  const known = Array.from({ length: 10_000 }, (_, i) => seen.has(2 * i))
  const first = known.indexOf(true)
  assert.equal(known.lastIndexOf(false), first - 1)
  const kept = 10_000 - first
  assert.ok(kept > 3000 && kept <= 4097, `${kept} are kept`)
  seen.add(1)
  assert.equal(seen.has(19_998), true)
})

test('what ends below a number can be forgotten, the highest range never is', () => {
  const seen = new SeenNumbers()
  for (const number of [1, 2, 5, 6, 9]) seen.add(number)
  seen.expireBelow(6)
  assert.deepEqual(
    [2, 5, 6, 9].map((number) => seen.has(number)),
    [false, true, true, true]
  )
  seen.expireBelow(100)
  assert.deepEqual(
    [5, 6, 9].map((number) => seen.has(number)),
    [false, false, true]
  )
})
