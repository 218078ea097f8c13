import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workloadOf } from '../../wire/workload.ts'

test('a workload is the container, else the executable, else the thread name', () => {
  const process = { container_id: 'c1', exe: '/usr/bin/client', comm: 'client' }
  assert.equal(workloadOf(process), 'c1')
  assert.equal(workloadOf({ ...process, container_id: null }), '/usr/bin/client')
  assert.equal(workloadOf({ ...process, container_id: null, exe: null }), 'client')
})
