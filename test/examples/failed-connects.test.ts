import assert from 'node:assert/strict'
import { test } from 'node:test'
import failedConnects from '../../examples/handlers/failed-connects.ts'
import { batchOf, contextOf, eventOf } from '../consumer/support/batches.ts'

const outcome = (ret: number) => eventOf({ kind: 'connect_outcome', syscall: 'none', ret })
const connect = (ret: number) => eventOf({ syscall: 'connect', ret })

const errnosOf = async (...events: ReturnType<typeof eventOf>[]): Promise<unknown[]> => {
  const outputs = await failedConnects(batchOf({ events }), contextOf(0n))
  return [...outputs].map((output) => (output.to === 'topic' ? (output.value as { errno: string }).errno : output))
}

test('connects that returned EINPROGRESS and succeeded are not published', async () => {
  const healthy = Array.from({ length: 284 }, () => [connect(-115), outcome(0)]).flat()
  assert.deepEqual(await errnosOf(...healthy), [])
})

test('each failed connect is published once, from its call or its outcome', async () => {
  assert.deepEqual(await errnosOf(connect(-111), connect(-115), outcome(-110)), ['ECONNREFUSED', 'ETIMEDOUT'])
})

test('connects that were interrupted or canceled, and other failed calls, are not published', async () => {
  assert.deepEqual(await errnosOf(connect(-4), outcome(-125), eventOf({ syscall: 'openat', ret: -13 })), [])
})
