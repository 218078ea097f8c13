import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { classOf, eventNames, nameOf } from '../../../consumer/alerts/rule-events.ts'

test('a rule can name every call of the schema, and every other kind of event', () => {
  const schema = readFileSync(join(import.meta.dirname, '../../../schemas/event_batch.avsc'), 'utf8')
  const symbols = /"name": "Syscall",\s*"symbols": (\[[^\]]*\])/.exec(schema)?.[1] ?? assert.fail('no Syscall enum')
  const calls = (JSON.parse(symbols) as string[]).filter((name) => name !== 'none' && name !== 'other')
  assert.deepEqual(eventNames.toSorted(), [...calls, 'exec', 'fork', 'exit', 'connect_outcome', 'messages'].sort())
})

test('the loss of an event is declared in its class', () => {
  assert.deepEqual((['exec', 'ptrace', 'connect_outcome', 'sendmmsg', 'renameat2', 'recvmsg'] as const).map(classOf), [
    'process',
    'process',
    'network',
    'network',
    'file',
    'io'
  ])
})

test('a request to io_uring has the name of the call that it stands for', () => {
  assert.equal(nameOf({ kind: 'io_uring', syscall: 'connect' }), 'connect')
  assert.equal(nameOf({ kind: 'connect_outcome', syscall: 'connect' }), 'connect_outcome')
})
