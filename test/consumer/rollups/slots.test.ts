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
  assert.deepEqual([first.get(3), first.get(5)], [undefined, undefined])
})

test('nothing of a batch is held when the next begins', () => {
  const pool = new SlotPool<string>()
  pool.begin(4)
  const [, second] = [pool.lend(), pool.lend()]
  second?.set(2, 'a')
  pool.begin(4)
  assert.equal(second?.get(2), undefined)
})
