import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slowestCalls } from '../../../consumer/rollups/slowest-calls.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { samples } from '../../support/records.ts'

test('the slowest event of each call in a batch is found, with its workload', () => {
  const [connect] = samples.EventBatch.events
  assert.ok(connect !== undefined)
  const events = [
    { ...connect, seq: 1, duration_ns: 500 },
    { ...connect, seq: 2, duration_ns: 9000, time_offset_ns: -2_000_000_000 },
    { ...connect, seq: 3, duration_ns: 800 },
    { ...connect, seq: 4, syscall: 'accept', duration_ns: 7 },
    { ...connect, seq: 5, kind: 'exec' as const, syscall: 'none', duration_ns: 10_000 }
  ]
  const batch = { ...samples.EventBatch, events, summaries: [] }
  const found = slowestCalls(columnsOf(batch)).map(({ call, seq, durationNs }) => [call, seq, durationNs])
  assert.deepEqual(found, [
    ['connect', 2, 9000],
    ['accept', 4, 7]
  ])
  const [slowest] = slowestCalls(columnsOf(batch))
  assert.equal(slowest?.timeSeconds, batch.clock.wall_us / 1e6 - 2)
  assert.equal(slowest?.workload, batch.processes[connect.process]?.exe)
})
