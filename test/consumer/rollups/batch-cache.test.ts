import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchCachePool } from '../../../consumer/rollups/batch-cache.ts'

test('a cache is empty at first, shares nothing within its batch, and is reused for the next', () => {
  const pool = new BatchCachePool<string>()
  pool.begin(4)
  const [first, second] = [pool.take(), pool.take()]
  assert.notEqual(first, second)
  first.set(3, 'a')
  second.set(0, 'b')
  assert.deepEqual([first.get(3), first.get(0), second.get(0)], ['a', undefined, 'b'])
  pool.begin(6)
  assert.equal(pool.take(), first)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((slot) => first.get(slot)),
    Array(6).fill(undefined)
  )
})

test('with more values than places, a cache never returns the value of another slot', () => {
  const pool = new BatchCachePool<number>()
  let found = 0
  for (let batch = 0; batch < 3; batch++) {
    pool.begin(1_000_000)
    const cache = pool.take()
    for (let slot = 0; slot < 1_000_000; slot += 37) {
      assert.equal(cache.get(slot), undefined)
      cache.set(slot, slot)
      assert.equal(cache.get(slot), slot)
    }
    for (let slot = 0; slot < 1_000_000; slot++) {
      const value = cache.get(slot)
      if (value !== undefined) assert.equal(value, slot)
      if (value !== undefined) found++
    }
  }
  assert.ok(found > 3 * 2000)
})
