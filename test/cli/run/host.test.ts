import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ServiceMessage } from '../../../runtime/service.ts'

const program = join(import.meta.dirname, '../programs/hosted.ts')

const startHosted = (t: TestContext, behaviour: string): { child: ChildProcess; messages: ServiceMessage[] } => {
  const child = fork(program, [behaviour], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  const messages: ServiceMessage[] = []
  child.on('message', (message) => messages.push(message as ServiceMessage))
  return { child, messages }
}

const exitOf = async (child: ChildProcess): Promise<number | null> => (await once(child, 'exit'))[0]

const lastCounters = (messages: readonly ServiceMessage[]): Readonly<Record<string, number>> | undefined =>
  messages.findLast((message) => message.type === 'counters')?.counters

const timeout = 30_000

test('a drain message lets the service finish, and the last report has its final counters', {
  timeout
}, async (t) => {
  const { child, messages } = startHosted(t, 'run')
  await once(child, 'message')
  child.send({ type: 'drain' })
  assert.equal(await exitOf(child), 0)
  assert.equal(messages[0]?.type, 'ready')
  assert.deepEqual(lastCounters(messages), { events: 11, drains: 1, stops: 0 })
})

test('a drain message before the service is ready is not lost', { timeout }, async (t) => {
  const { child, messages } = startHosted(t, 'run')
  child.send({ type: 'drain' })
  assert.equal(await exitOf(child), 0)
  assert.equal(lastCounters(messages)?.['drains'], 1)
})

test('a signal stops the service in order', { timeout }, async (t) => {
  const { child, messages } = startHosted(t, 'run')
  await once(child, 'message')
  child.kill('SIGTERM')
  assert.equal(await exitOf(child), 0)
  assert.deepEqual(lastCounters(messages), { events: 1, drains: 0, stops: 1 })
})

test('a service that ends by itself reports it before the exit', { timeout }, async (t) => {
  const { child, messages } = startHosted(t, 'end')
  assert.equal(await exitOf(child), 0)
  assert.equal(messages.at(-1)?.type, 'ended')
})

test('a service that fails, or does not start, exits with the code of its error', { timeout }, async (t) => {
  assert.equal(await exitOf(startHosted(t, 'fail').child), 69)
  assert.equal(await exitOf(startHosted(t, 'refuse').child), 78)
})

test('a service stops when its parent is gone', { timeout }, async (t) => {
  const { child } = startHosted(t, 'run')
  await once(child, 'message')
  child.disconnect()
  assert.equal(await exitOf(child), 0)
})
