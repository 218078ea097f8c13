import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlotPool } from '../../../consumer/rollups/slots.ts'

test('slots are empty, apart from all others of the batch, and in the same memory for the next', () => {
  const pool = new SlotPool<string>()
  pool.begin(4)
  const [first, second] = [pool.lend(), pool.lend()]
  assert.notEqual(first, second)
  first.set(3, 'a')
  second.set(0, 'b')
  assert.deepEqual([first.get(3), first.get(0), second.get(0)], ['a', undefined, 'b'])
  pool.begin(6)
  assert.equal(pool.lend(), first)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((slot) => first.get(slot)),
    Array(6).fill(undefined)
  )
})

test('of more slots than there is room for, what is found is of the slot that is asked for', () => {
  const pool = new SlotPool<number>()
  let found = 0
  for (let batch = 0; batch < 3; batch++) {
    pool.begin(1_000_000)
    const slots = pool.lend()
    for (let slot = 0; slot < 1_000_000; slot += 37) {
      assert.equal(slots.get(slot), undefined)
      slots.set(slot, slot)
      assert.equal(slots.get(slot), slot)
    }
    for (let slot = 0; slot < 1_000_000; slot++) {
      const value = slots.get(slot)
      if (value !== undefined) assert.equal(value, slot)
      if (value !== undefined) found++
    }
  }
  assert.ok(found > 3 * 2000)
})
