import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceLags } from '../../../consumer/panel/service-lags.ts'
import { Replay } from '../../../consumer/state/replay.ts'

const groups = ['r.rollups', 'r.alerts', 'r.audit']
const progress = (group: string, partition: number, offset: bigint, endOffset: bigint, metadata = '') => ({
  group,
  commit: { topic: 'r.events', partition, offset, metadata },
  endOffset
})

test('the unread messages of a service are summed over its partitions; without a committed offset they are unknown', () => {
  const lags = serviceLags([progress('r.audit', 0, 5n, 7n), progress('r.audit', 1, 0n, 10n)], groups)
  assert.deepEqual(lags, [
    { service: 'rollups', messages: null },
    { service: 'alerts', messages: null },
    { service: 'audit', messages: 12 }
  ])
})

test('messages that a service has handled but would replay after a restart are not unread', () => {
  const replay = new Replay()
  const context = { topic: 'r.events', partition: 0, timestampMs: 0, lagRecords: 0 }
  replay.begin({ ...context, offset: 95n } as never)
  const { metadata } = replay.checkpoint(50n)
  const [rollups] = serviceLags([progress('r.rollups', 0, 50n, 100n, metadata)], groups)
  assert.equal(rollups?.messages, 4)
})
