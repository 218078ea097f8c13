import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SampledCache } from '../../../producer/encode/sampled-cache.ts'

test('at its capacity the cache forgets what was not used for long', () => {
  const cache = new SampledCache<number, { lastUsed: number }>(100)
  for (let key = 0; key < 10_000; key++) {
    cache.set(key, { lastUsed: key })
    const kept = cache.get(0)
    if (kept !== undefined) kept.lastUsed = key
  }
  assert.equal(cache.size, 100)
  assert.ok(cache.get(0), 'used all the time')
  assert.ok(cache.get(9_999), 'the newest')
  assert.equal(cache.get(5_000), undefined)
})

test('a key that is set again takes no place of another', () => {
  const cache = new SampledCache<string, { lastUsed: number }>(2)
  cache.set('a', { lastUsed: 1 })
  cache.set('b', { lastUsed: 2 })
  cache.set('b', { lastUsed: 3 })
  assert.deepEqual([cache.size, cache.get('a')?.lastUsed, cache.get('b')?.lastUsed], [2, 1, 3])
  cache.delete('a')
  assert.equal(cache.size, 1)
})
