import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ServiceState, SupervisedService } from '../../../cli/up/supervised-service.ts'
import { eventually } from '../../support/ringside.ts'

const program = join(import.meta.dirname, '../programs/hosted.ts')
const timeout = 30_000

const supervise = (t: TestContext, behaviour: string): { service: SupervisedService; states: ServiceState[] } => {
  const states: ServiceState[] = []
  const service = new SupervisedService({
    name: 'hosted',
    program,
    args: [behaviour],
    env: process.env,
    onOutput: () => {},
    onState: (state) => states.push(state),
    backoffMs: 10
  })
  t.after(() => service.drain(1000))
  service.start()
  return { service, states }
}

const until = (service: SupervisedService, state: ServiceState): Promise<true> =>
  eventually(state, 20, () => service.state === state || undefined)

test('a killed service is restarted, never runs twice, and its counters continue', { timeout }, async (t) => {
  const { service, states } = supervise(t, 'run')
  await eventually('a report', 20, () => service.counters['events'] === 1 || undefined)
  const first = service.pid as number
  process.kill(first, 'SIGKILL')
  await eventually('another process', 20, () => (service.state === 'running' && service.pid !== first) || undefined)
  assert.throws(() => process.kill(first, 0), 'the first process is gone before the second starts')
  await service.drain(10_000)
  assert.equal(service.counters['events'], 12)
  assert.equal(service.restarts, 1)
  assert.equal(service.complete, false)
  assert.deepEqual(states, ['starting', 'running', 'waiting', 'starting', 'running', 'draining', 'stopped'])
})

test('a drained service stops in order, with all its counters', { timeout }, async (t) => {
  const { service } = supervise(t, 'run')
  await until(service, 'running')
  await service.drain(10_000)
  assert.equal(service.state, 'stopped')
  assert.deepEqual(service.counters, { events: 11, drains: 1, stops: 0 })
  assert.equal(service.complete, true)
})

test('a service is not restarted after the end of its input', { timeout }, async (t) => {
  const { service } = supervise(t, 'end')
  await until(service, 'ended')
  assert.equal(service.restarts, 0)
  assert.equal(service.complete, true)
})

test('a service is not restarted after an error that a restart does not fix', { timeout }, async (t) => {
  const { service } = supervise(t, 'refuse')
  await until(service, 'failed')
  assert.equal(service.restarts, 0)
})

test('a service is restarted after an error that may pass', { timeout }, async (t) => {
  const { service } = supervise(t, 'fail')
  await eventually('three restarts', 20, () => service.restarts >= 3 || undefined)
  await service.drain(10_000)
})
