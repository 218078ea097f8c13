// Host statuses of the rollups service.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import { decode, encode } from '../../../wire/codec.ts'
import type { EventBatch, HostStatus } from '../../../wire/types.ts'
import { summaryOf } from '../support/batches.ts'
import { epochUs } from '../support/call-streams.ts'
import { at, call, handleAll, seconds, statusesOf } from './support/rollups-run.ts'

const statuses = (log: readonly EventBatch[], nowUs = () => 0): HostStatus[][] =>
  handleAll(new Rollups(seconds, nowUs), log).map((outputs) => statusesOf(outputs))

test('each second has a status when it closes, also one without calls, and the last of a run', () => {
  const rows = statuses([
    at(0.5, 1, { events: [call(0.1), call(0.2)] }),
    at(1.2, 2, { summaries: [summaryOf({ time_offset_ns: -1.5e8 })] }),
    at(2.5, 3),
    at(3.5, 4, { events: [call(0.1)] }),
    at(3.6, 5, { final: true })
  ])
  assert.deepEqual(
    rows.map((of) => of.map((row) => [(row.window_start - epochUs) / 1e6, row.events, row.counted, row.final])),
    [[], [[0, 2, 4, false]], [[1, 0, 0, false]], [[2, 0, 0, false]], [[3, 1, 0, true]]]
  )
})

test('a status has the watermark and the time at which it was read', () => {
  const [, [status] = []] = statuses([at(0.5, 1), at(1.2, 2)], () => epochUs + 1.5e6)
  assert.ok(status !== undefined)
  assert.deepEqual([status.watermark - epochUs, status.read - epochUs], [1.1e6, 1.5e6])
  assert.deepEqual(decode('HostStatus', encode('HostStatus', status)), status)
})

test('a status has the losses and rejected calls since the status before', () => {
  const drops: EventBatch['drops'] = [{ class: 'file', reason: 'ring_full', count: 3 }]
  const log = [
    at(0.5, 1, { drops }),
    at(1.2, 2, { drops }),
    at(1.5, 3, { events: [call(-900)] }),
    at(2.2, 4),
    at(3.2, 5)
  ]
  assert.deepEqual(
    statuses(log).flatMap((of) => of.map((row) => [row.drops.map(({ count }) => count), row.outside])),
    [
      [[6], 0],
      [[], 1],
      [[], 0]
    ]
  )
})

test('a silent host gets a status of its last second, once', () => {
  const drops: EventBatch['drops'] = [{ class: 'file', reason: 'ring_full', count: 3 }]
  const silent = [
    at(0.5, 1, { host: 'gone', run: 'gone', drops }),
    at(0.5, 1, { host: 'ended', run: 'ended', final: true })
  ]
  const rows = statuses([...silent, ...Array.from({ length: 150 }, (_, i) => at(i, i + 1))]).flat()
  assert.deepEqual(
    rows.flatMap((row) =>
      row.host === 'host-a' ? [] : `${row.host} ${row.window_start - epochUs} ${row.drops.length} ${row.final}`
    ),
    ['ended 0 0 true', 'gone 0 1 false']
  )
})

test('no second gets a second status, after a step of the clock or a late call', () => {
  const log = [at(0.5, 1), at(5.2, 2), at(3600.2, 3), at(3600.3, 4, { events: [call(1.5)] }), at(3601.2, 5)]
  assert.deepEqual(
    statuses(log).flatMap((of) => of.map((row) => (row.window_start - epochUs) / 1e6)),
    [4, 3599, 3600]
  )
})
