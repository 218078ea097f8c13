import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CountedConnects } from '../../../consumer/alerts/counted-connects.ts'
import { eventOf } from '../support/batches.ts'

const windowUs = 60_000_000
const call = (cpu: number, seq: number) => eventOf({ syscall: 'connect', ret: -115, cpu, seq })
const outcome = (call_cpu: number, call_seq: number, seconds = 1) =>
  eventOf({ kind: 'connect_outcome', syscall: 'none', call_cpu, call_seq, duration_ns: seconds * 1e9 })

test('the outcome of a counted call is known once, that of another call is not', () => {
  const connects = new CountedConnects(windowUs)
  connects.add(call(1, 7), 0)
  assert.deepEqual([connects.has(outcome(2, 7)), connects.has(outcome(1, 8))], [false, false])
  assert.deepEqual([connects.has(outcome(1, 7)), connects.has(outcome(1, 7))], [true, false])
})

test('an outcome of a connect that began before the window never counts, as after a restart', () => {
  const connects = new CountedConnects(windowUs)
  assert.deepEqual([connects.has(outcome(1, 7, 59)), connects.has(outcome(1, 7, 60))], [false, true])
})

test('calls expire with the window, and the number of calls is bounded', () => {
  const connects = new CountedConnects(windowUs)
  connects.add(call(0, 1), 0)
  connects.add(call(0, 2), windowUs)
  assert.deepEqual([connects.has(outcome(0, 1)), connects.has(outcome(0, 2))], [false, true])
  for (let seq = 0; seq <= 65_536; seq++) connects.add(call(0, seq), windowUs)
  assert.deepEqual([connects.has(outcome(0, 0)), connects.has(outcome(0, 1))], [false, true])
})
