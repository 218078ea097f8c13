import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Repeats } from '../../consumer/repeats.ts'

const batch = (run: string, batch: number, host = 'a') => ({ host, run, batch })

test('a batch is a repeat when it or a later one of its run was seen', () => {
  const repeats = new Repeats()
  assert.equal(repeats.isRepeat(batch('run', 5)), false)
  assert.equal(repeats.isRepeat(batch('run', 5)), true)
  assert.equal(repeats.isRepeat(batch('run', 4)), true)
  assert.equal(repeats.isRepeat(batch('run', 6)), false)
})

test('runs and hosts are counted apart', () => {
  const repeats = new Repeats()
  assert.equal(repeats.isRepeat(batch('run', 5)), false)
  assert.equal(repeats.isRepeat(batch('next', 1)), false)
  assert.equal(repeats.isRepeat(batch('run', 1, 'b')), false)
})

test('a batch of an edge that was started again in the meantime is still known', () => {
  const repeats = new Repeats()
  assert.equal(repeats.isRepeat(batch('earlier', 9)), false)
  assert.equal(repeats.isRepeat(batch('run', 1)), false)
  assert.equal(repeats.isRepeat(batch('earlier', 7)), true)
})

test('of 10,000 later runs, the one that was heard from longest ago is forgotten', () => {
  const repeats = new Repeats()
  repeats.isRepeat(batch('first', 1))
  repeats.isRepeat(batch('second', 1))
  repeats.isRepeat(batch('first', 2))
  for (let i = 0; i < 9_999; i++) repeats.isRepeat(batch(String(i), 1))
  assert.equal(repeats.isRepeat(batch('first', 2)), true)
  assert.equal(repeats.isRepeat(batch('second', 1)), false)
})
