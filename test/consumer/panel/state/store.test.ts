import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Watch } from '../../../../consumer/panel/protocol.ts'
import { Store } from '../../../../consumer/panel/state/store.ts'
import { samples } from '../../../support/records.ts'
import { processRow, row, status } from '../support/rows.ts'

const create = () => new Store({ windowsMs: [10_000, 1000], now: () => 1e12 })
const watch: Watch = { type: 'watch', filter: {}, windowMs: 1000, fromMs: 0, top: 'process' }

test('1,440 windows of each length are kept, but no more than a day', () => {
  const { windowsMs, keptMs } = new Store({ windowsMs: [1000, 10_000, 60_000, 3_600_000] })
  assert.deepEqual(windowsMs, [1000, 10_000, 60_000, 3_600_000])
  assert.deepEqual(
    keptMs.map((ms) => ms / 60_000),
    [24, 240, 1440, 1440]
  )
})

test('points() returns the points that changed after a change number', () => {
  const store = create()
  store.addRollup(row(1, { complete: false, count: 1 }))
  store.addRollup(row(2))
  const { change } = store
  assert.deepEqual(
    store.points(watch, -1).map(({ timeMs, count }) => [timeMs, count]),
    [
      [1000, 1],
      [2000, 500]
    ]
  )
  assert.deepEqual(store.points(watch, change), [])
  store.addRollup(row(1, { revision: 2, count: 5 }))
  assert.deepEqual(
    store.points(watch, change).map(({ timeMs, count, complete }) => [timeMs, count, complete]),
    [[1000, 5, true]]
  )
  assert.deepEqual(store.points({ ...watch, windowMs: 10_000 }, -1), [])
})

test('a record that changes nothing notifies no listener', () => {
  const store = create()
  let calls = 0
  const stop = store.onChange(() => {
    calls += 1
  })
  store.addRollup(row(1))
  store.addRollup(row(1))
  store.addRollup(processRow(10, 1, { window_ms: 10_000 }))
  store.addRollup(row(1, { window_ms: 500 }))
  store.setStaleReason(null)
  store.setServices([])
  assert.equal(calls, 1)
  stop()
  store.addRollup(row(2))
  assert.equal(calls, 1)
})

test('losses are in the points of every window length', () => {
  const store = create()
  store.addHostStatus(status(1))
  store.addHostStatus(status(2))
  assert.deepEqual(
    store.points(watch, -1).map(({ lost }) => lost),
    [7, 7]
  )
  const [ten] = store.points({ ...watch, windowMs: 10_000 }, -1)
  assert.deepEqual([ten?.lost, ten?.complete], [14, false])
})

test('alerts have their highest revision; a maximum selects the last ones', () => {
  const store = create()
  const alert = (id: string, revision: number) => store.addAlert({ ...samples.Alert, id, revision })
  alert('a', 2)
  alert('b', 1)
  alert('a', 1)
  const { change } = store
  const alertsAfter = (after: number, max: number) =>
    store.changesAfter(after, max).flatMap((message) => (message.type === 'alerts' ? message.alerts : []))
  assert.deepEqual(
    alertsAfter(-1, 100).map(({ id, revision }) => [id, revision]),
    [
      ['a', 2],
      ['b', 1]
    ]
  )
  assert.deepEqual(
    alertsAfter(-1, 1).map(({ id }) => id),
    ['b']
  )
  alert('a', 3)
  assert.deepEqual(
    alertsAfter(change, 100).map(({ id, revision }) => [id, revision]),
    [['a', 3]]
  )
  for (let i = 0; i < 1500; i++) alert(`x${i}`, 1)
  assert.equal(alertsAfter(-1, Number.POSITIVE_INFINITY).length, 1000)
})

test('hosts, lag and stale reason are returned whole after a change', () => {
  const store = create()
  assert.deepEqual(store.changesAfter(0, 100), [])
  const service = { service: 'audit', messages: 3, stalledSeconds: 0, members: 1, joins: 0 }
  store.setServices([service])
  const { change } = store
  store.setStaleReason('Kafka does not respond')
  assert.deepEqual(store.changesAfter(change, 100), [{ type: 'stale', reason: 'Kafka does not respond' }])
  store.setStaleReason(null)
  assert.deepEqual(store.changesAfter(0, 100), [
    { type: 'stale', reason: null },
    { type: 'lag', services: [service] }
  ])
})

test('names are ordered by the calls of the last minute', () => {
  const store = create()
  store.addRollup(row(1, { host: 'quiet', workload: 'z', syscall: 'listen', count: 1e6 }))
  store.addRollup(row(100, { host: 'b', workload: 'x', count: 1 }))
  store.addRollup(row(100, { host: 'a', workload: 'y', syscall: 'write', count: 2 }))
  store.addHostStatus(status(100, { host: 'silent' }))
  assert.deepEqual(store.names(), {
    type: 'names',
    hosts: ['a', 'b', 'quiet', 'silent'],
    workloads: ['y', 'x', 'z'],
    calls: ['write', 'read', 'listen']
  })
})

test('the top by process uses rows by process; the top by workload or call uses rows by workload', () => {
  const store = create()
  store.addRollup(row(1, { count: 10 }))
  store.addRollup(processRow(1, 5, { count: 4 }))
  assert.equal(store.top('process', {}).rows[0]?.callsPerSecond, 4)
  assert.equal(store.top('workload', {}).rows[0]?.callsPerSecond, 10)
  assert.equal(store.top('call', {}).rows[0]?.callsPerSecond, 10)
  assert.deepEqual(store.top('go_function', {}).rows, [])
  assert.equal(store.rows, 2)
})
