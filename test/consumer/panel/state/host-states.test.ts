import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HostStates } from '../../../../consumer/panel/state/host-states.ts'
import { status } from '../support/rows.ts'

test('a host has the state of its newest status and the sum of all losses', () => {
  const hosts = new HostStates()
  hosts.add(status(2, { events: 300, counted: 1000, final: true }))
  hosts.add(status(1, { drops: [{ class: 'network', reason: 'ring_full', count: 3 }] }))
  hosts.add(status(1, { host: 'web-2', drops: [{ class: 'io', reason: 'spool_full', count: 1 }] }))
  const [first, second] = hosts.list()
  assert.deepEqual(first, {
    host: 'web-1',
    agent: '0.1.0',
    watermarkMs: 1_769_860_801_100,
    lagSeconds: 0.03,
    eventsPerSecond: 300,
    countedPerSecond: 1000,
    lost: { ring_full: 10 },
    reduced: { io: 'over the budget of 3%', 'each process': 'at most 512 events/s, over the budget of 3%' },
    ended: true
  })
  assert.deepEqual(second?.lost, { spool_full: 1 })
})

test('a class is reduced until the edge emits it again or the host reboots', () => {
  const step = (mode: string) => [{ class: 'file' as const, mode, reason: 'over budget', monotonic_us: 1 }]
  const hosts = new HostStates()
  hosts.add(status(1, { steps: step('count'), bound_steps: [] }))
  assert.deepEqual(hosts.list()[0]?.reduced, { file: 'over budget' })
  hosts.add(status(2, { steps: step('emit'), bound_steps: [] }))
  assert.deepEqual(hosts.list()[0]?.reduced, {})
  hosts.add(status(3, { steps: step('count'), bound_steps: [] }))
  hosts.add(status(4, { steps: [], bound_steps: [], boot: 'another' }))
  assert.deepEqual(hosts.list()[0]?.reduced, {})
})

test('the bound of each process is shown while it is less than configured', () => {
  const step = (mode: string, process_events: number) => [
    { process_events, mode, reason: 'over budget', monotonic_us: 1 }
  ]
  const hosts = new HostStates()
  hosts.add(status(1, { steps: [], bound_steps: step('count', 512) }))
  assert.deepEqual(hosts.list()[0]?.reduced, { 'each process': 'at most 512 events/s, over budget' })
  hosts.add(status(2, { steps: [], bound_steps: step('emit', 32_768) }))
  assert.deepEqual(hosts.list()[0]?.reduced, {})
})
