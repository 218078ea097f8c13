import assert from 'node:assert/strict'
import { test } from 'node:test'
import { earliestOffset, hostsOfBatches } from '../../../consumer/state/hosts.ts'
import { batchOf } from '../support/batches.ts'

const batch = (host: string) => batchOf({ host, run: host })

const namedHosts = () => hostsOfBatches(({ host }) => ({ name: host }))

test('each host has a state of its own', () => {
  const hosts = namedHosts()
  assert.equal(hosts.of(batch('a'), 1), hosts.of(batch('a'), 2))
  assert.notEqual(hosts.of(batch('a'), 3), hosts.of(batch('b'), 3))
})

test("a host expires when it is silent for a minute of Kafka's time while another sends", () => {
  const hosts = namedHosts()
  hosts.of(batch('gone'), 0)
  for (let second = 1; second <= 60; second++) hosts.of(batch('here'), second * 1000)
  assert.deepEqual(hosts.expireSilent(), [])
  hosts.of(batch('here'), 61_000)
  assert.deepEqual(hosts.expireSilent(), [{ name: 'gone' }])
  assert.deepEqual([...hosts.states()], [{ name: 'here' }])
})

test('an outage of Kafka silences nobody: all are silent in it', () => {
  const hosts = namedHosts()
  hosts.of(batch('a'), 0)
  hosts.of(batch('b'), 1)
  hosts.of(batch('a'), 3_600_000)
  assert.deepEqual(hosts.expireSilent(), [])
})

test('a host that is deleted begins anew', () => {
  const hosts = namedHosts()
  const before = hosts.of(batch('a'), 1)
  hosts.delete('a')
  assert.notEqual(hosts.of(batch('a'), 2), before)
})

test('the earliest offset is that of the host that resumes first', () => {
  assert.equal(earliestOffset([5n, undefined, 3n, 9n]), 3n)
  assert.equal(earliestOffset([undefined]), undefined)
})
