import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { callNames } from '../../wire/columns.ts'
import { columnsOf } from '../../wire/columns-of.ts'
import { eventKinds } from '../../wire/event-kind.ts'
import { samples } from '../support/records.ts'

test('every value of a batch is in its column, in the order of the batch', () => {
  const { events, summaries, sockets: _, ...rest } = samples.EventBatch
  const { events: eventColumns, summaries: summaryColumns, ...same } = columnsOf(samples.EventBatch)
  assert.deepEqual(same, rest)
  const eventRows = events.map((_, i) => ({
    kind: eventKinds[eventColumns.kind[i] as number],
    call: callNames.nameOf(eventColumns.code[i] as number),
    process: eventColumns.process[i],
    cpu: eventColumns.cpu[i],
    seq: eventColumns.seq[i],
    time_offset_ns: eventColumns.timeOffsetNs[i],
    duration_ns: eventColumns.durationNs[i],
    ret: eventColumns.ret[i],
    stack: eventColumns.stack[i]
  }))
  assert.deepEqual(
    eventRows,
    events.map(({ kind, call, syscall, process, cpu, seq, time_offset_ns, duration_ns, ret, stack }) => ({
      kind,
      call: call ?? syscall,
      ...{ process, cpu, seq, time_offset_ns, duration_ns, ret, stack }
    }))
  )
  assert.equal(summaryColumns.length, summaries.length)
  assert.deepEqual(summaryColumns.latency, {
    begin: Int32Array.of(0, 2),
    index: Int32Array.of(320, 370),
    count: Float64Array.of(3, 1)
  })
  assert.deepEqual(summaryColumns.errnos, {
    begin: Int32Array.of(0, 1),
    index: Int32Array.of(11),
    count: Float64Array.of(1)
  })
  assert.deepEqual(summaryColumns.totalNs, Float64Array.of(9000))
})

test('event kinds are in the order of the schema', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'schemas', 'event_batch.avsc'), 'utf8')
  const [, symbols = '[]'] = /"name": "EventKind",\s*"symbols": (\[[^\]]*\])/.exec(text) ?? []
  assert.deepEqual(eventKinds, JSON.parse(symbols))
})
