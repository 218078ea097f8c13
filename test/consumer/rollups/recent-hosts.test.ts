import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentHosts } from '../../../consumer/rollups/recent-hosts.ts'

test('a host keeps its state', () => {
  const hosts = new RecentHosts<{ name: string }>()
  const first = hosts.of('web-1', () => ({ name: 'web-1' }))
  assert.equal(
    hosts.of('web-1', () => assert.fail()),
    first
  )
  assert.deepEqual([...hosts], [['web-1', { name: 'web-1' }]])
})

test('beyond 1,000 hosts the one heard from longest ago is evicted', () => {
  const hosts = new RecentHosts<number>()
  for (let i = 0; i < 1000; i++) hosts.of(`web-${i}`, () => i)
  hosts.of('web-0', () => assert.fail())
  hosts.of('web-1000', () => 1000)
  const names = new Set([...hosts].map(([name]) => name))
  assert.deepEqual(
    [names.size, names.has('web-0'), names.has('web-1'), names.has('web-1000')],
    [1000, true, false, true]
  )
})
