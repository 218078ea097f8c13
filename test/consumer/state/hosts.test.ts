import assert from 'node:assert/strict'
import { test } from 'node:test'
import { earliestOffset, Hosts, hostsOfBatches } from '../../../consumer/state/hosts.ts'
import { batchOf } from '../support/batches.ts'

const at = (host: string, seconds: number, run = host) =>
  batchOf({ host, run, clock: { monotonic_us: seconds * 1e6, wall_us: 0 } })

const namedHosts = () => hostsOfBatches(({ host }) => ({ name: host }))

test('each host has a state of its own', () => {
  const hosts = namedHosts()
  assert.equal(hosts.of(at('a', 1)), hosts.of(at('a', 2)))
  assert.notEqual(hosts.of(at('a', 3)), hosts.of(at('b', 3)))
})

test('a host expires when it is silent for a minute while another sends', () => {
  const hosts = namedHosts()
  hosts.of(at('gone', 500_000))
  hosts.of(at('here', 10))
  hosts.of(at('here', 70))
  assert.deepEqual(hosts.expireSilent(), [])
  hosts.of(at('here', 71))
  assert.deepEqual(hosts.expireSilent(), [{ name: 'gone' }])
  assert.deepEqual([...hosts.states()], [{ name: 'here' }])
})

test('a reboot does not make others silent', () => {
  const hosts = namedHosts()
  hosts.of(at('a', 10))
  hosts.of(at('b', 10, 'first boot'))
  hosts.of(at('b', 5_000_000, 'second boot'))
  assert.deepEqual(hosts.expireSilent(), [])
})

test('a host that is deleted begins anew, on the partition’s clock', () => {
  const hosts = new Hosts({
    create: ({ host }: { host: string; clockUs: number }) => ({ host }),
    stampOf: ({ host, clockUs }) => ({ host, epoch: '', clockUs }),
    silentUs: 100
  })
  hosts.of({ host: 'silent', clockUs: 1000 })
  const before = hosts.of({ host: 'stepped', clockUs: 5000 })
  hosts.delete('stepped')
  assert.notEqual(hosts.of({ host: 'stepped', clockUs: 10 }), before)
  hosts.of({ host: 'stepped', clockUs: 110 })
  assert.deepEqual(hosts.expireSilent(), [])
  hosts.of({ host: 'stepped', clockUs: 111 })
  assert.deepEqual(hosts.expireSilent(), [{ host: 'silent' }])
})

test('the earliest offset is that of the host that resumes first', () => {
  assert.equal(earliestOffset([5n, undefined, 3n, 9n]), 3n)
  assert.equal(earliestOffset([undefined]), undefined)
})
