import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceStates } from '../../../consumer/panel/service-states.ts'
import { formatMetadata } from '../../../consumer/state/commit-metadata.ts'

const groups = ['r.rollups', 'r.alerts', 'r.audit']
const progress = (group: string, partition: number, offset: bigint, endOffset: bigint, metadata = '') => ({
  group,
  commit: { topic: 'r.events', partition, offset, metadata },
  endOffset
})
const audit = (...members: string[]) => [{ group: 'r.audit', members }]

test('the unread messages of a service are summed over its partitions; without a committed offset they are unknown', () => {
  const states = new ServiceStates(groups)
  const both = [progress('r.audit', 0, 5n, 7n), progress('r.audit', 1, 0n, 10n)]
  const well = { stalledSeconds: 0, members: 0, joins: 0 }
  assert.deepEqual(states.update(both, audit('a', 'b'), 0), [
    { service: 'rollups', messages: null, ...well },
    { service: 'alerts', messages: null, ...well },
    { service: 'audit', messages: 12, ...well, members: 2 }
  ])
})

test('messages that a service has handled but would replay after a restart are not unread', () => {
  const metadata = formatMetadata({ next: 96n, handler: '{}' })
  const [rollups] = new ServiceStates(groups).update([progress('r.rollups', 0, 50n, 100n, metadata)], [], 0)
  assert.equal(rollups?.messages, 4)
})

test('a partition that does not move while messages wait is stalled, also beside one that moves', () => {
  const states = new ServiceStates(groups)
  const stalledAt = (nowMs: number, stuck: bigint, moving: bigint) =>
    states.update([progress('r.audit', 0, stuck, 100n), progress('r.audit', 1, moving, 100n)], [], nowMs)[2]
      ?.stalledSeconds
  assert.equal(stalledAt(0, 5n, 5n), 0)
  assert.equal(stalledAt(30_000, 5n, 6n), 30)
  assert.equal(stalledAt(90_000, 5n, 7n), 90)
  assert.equal(stalledAt(92_000, 6n, 8n), 0)
  assert.equal(stalledAt(200_000, 100n, 100n), 0)
})

test('members with new ids are joins for ten minutes; those of the first poll are not', () => {
  const states = new ServiceStates(groups)
  const joinsAt = (minutes: number, ...members: string[]) =>
    states.update([], audit(...members), minutes * 60_000)[2]?.joins
  assert.equal(joinsAt(0, 'a', 'b'), 0)
  assert.equal(joinsAt(1, 'a', 'b'), 0)
  assert.equal(joinsAt(2, 'a'), 0)
  assert.equal(joinsAt(3, 'a', 'c'), 1)
  assert.equal(joinsAt(4, 'd', 'e'), 3)
  assert.equal(joinsAt(13.5, 'd', 'e'), 2)
  assert.equal(joinsAt(20, 'd', 'e'), 0)
})
