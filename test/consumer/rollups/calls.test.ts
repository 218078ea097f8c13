import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallNames, Calls } from '../../../consumer/rollups/calls.ts'
import { batchOf, eventOf } from '../support/batches.ts'

test('a name keeps its number, and tells whether its result is bytes', () => {
  const names = new CallNames()
  const codes = ['read', 'connect', 'read', 'sendmsg'].map((name) => names.codeOf(name))
  assert.deepEqual(codes, [0, 1, 0, 2])
  assert.equal(names.size, 3)
  assert.deepEqual(
    [0, 1, 2].map((code) => [names.nameOf(code), names.movesBytes(code)]),
    [
      ['read', true],
      ['connect', false],
      ['sendmsg', true]
    ]
  )
})

test('only calls are taken, at the microsecond of the wall clock in which they returned', () => {
  const calls = new Calls()
  const names = new CallNames()
  const events = [
    eventOf({ kind: 'exec', syscall: 'none' }),
    eventOf({ time_offset_ns: -1, duration_ns: 5, ret: -11 }),
    eventOf({ time_offset_ns: 1999, process: 2 })
  ]
  calls.fill(batchOf({ clock: { monotonic_us: 0, wall_us: 1_000_000 }, events }), names)
  assert.equal(calls.length, 2)
  assert.deepEqual([...calls.timeUs], [999_999, 1_000_001, 0])
  assert.deepEqual([calls.durationNs[0], calls.ret[0], calls.process[1]], [5, -11, 2])
})

test('a shorter batch after a longer one leaves nothing of it behind', () => {
  const calls = new Calls()
  const names = new CallNames()
  calls.fill(batchOf({ events: [eventOf(), eventOf(), eventOf()] }), names)
  calls.fill(batchOf({ events: [eventOf({ ret: 42 })] }), names)
  assert.equal(calls.length, 1)
  assert.equal(calls.ret[0], 42)
})

test('cells are zeros, apart from all others of the batch, and in the same memory for the next', () => {
  const calls = new Calls()
  const names = new CallNames()
  calls.fill(batchOf(), names)
  const first = calls.lendCells(4).fill(7)
  const second = calls.lendCells(4).fill(7)
  assert.notEqual(first, second)
  calls.fill(batchOf(), names)
  assert.equal(calls.lendCells(3), first)
  assert.deepEqual([...first].slice(0, 3), [0, 0, 0])
  assert.deepEqual([...calls.lendCells(5)], [0, 0, 0, 0, 0])
})
