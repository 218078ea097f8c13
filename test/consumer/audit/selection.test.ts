import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { calls, isAudited } from '../../../consumer/audit/selection.ts'

const root = join(import.meta.dirname, '../../..')

const syscallSymbols = (): string[] => {
  const schema = readFileSync(join(root, 'schemas/event_batch.avsc'), 'utf8')
  const symbols = /"name": "Syscall",\s*"symbols": (\[[^\]]*\])/.exec(schema)?.[1] ?? assert.fail('no Syscall enum')
  return JSON.parse(symbols) as string[]
}

test('the table decides on every call of the schema, and on no other', () => {
  const symbols = syscallSymbols().filter((symbol) => symbol !== 'none')
  assert.deepEqual(Object.keys(calls).sort(), symbols.sort())
})

test('the documentation has a row for every call of the table', () => {
  const page = readFileSync(join(root, 'docs/audit.md'), 'utf8').replaceAll(/ +/g, ' ')
  for (const [name, { audited, reason }] of Object.entries(calls)) {
    assert.ok(page.includes(`| ${name} | ${audited ? 'yes' : 'no'} | ${reason} |`), name)
  }
})

test('calls of the classes file and io are left out, all others are in', () => {
  const audited = Object.keys(calls).filter((syscall) => isAudited({ kind: 'syscall', syscall, ret: 0 }))
  assert.deepEqual(
    Object.keys(calls).filter((name) => !audited.includes(name)),
    [
      ...['open', 'openat', 'openat2', 'unlink', 'unlinkat', 'rename', 'renameat', 'renameat2'],
      ...['read', 'write', 'recvfrom', 'recvmsg', 'recvmmsg', 'other']
    ]
  )
})

test('failed calls are in', () => {
  assert.ok(isAudited({ kind: 'syscall', syscall: 'connect', ret: -115 }))
  assert.ok(isAudited({ kind: 'syscall', syscall: 'execve', ret: -2 }))
  assert.ok(isAudited({ kind: 'syscall', syscall: 'accept', ret: -22 }))
})

test('EAGAIN is no accept, but is a failed send', () => {
  assert.ok(!isAudited({ kind: 'syscall', syscall: 'accept', ret: -11 }))
  assert.ok(!isAudited({ kind: 'syscall', syscall: 'accept4', ret: -11 }))
  assert.ok(isAudited({ kind: 'syscall', syscall: 'sendto', ret: -11 }))
})

test('what io_uring was asked for is in when the call that does the same is', () => {
  assert.ok(isAudited({ kind: 'io_uring', syscall: 'connect', ret: 0 }))
  assert.ok(isAudited({ kind: 'io_uring', syscall: 'sendmsg', ret: 0 }))
  assert.ok(!isAudited({ kind: 'io_uring', syscall: 'openat', ret: 0 }))
  assert.ok(!isAudited({ kind: 'io_uring', syscall: 'other', ret: 0 }))
})

test('beginnings and ends of processes, outcomes of connects, and what is not known yet are in', () => {
  for (const kind of ['exec', 'fork', 'exit', 'socket_state', 'other'] as const) {
    assert.ok(isAudited({ kind, syscall: 'none', ret: 0 }))
  }
  assert.ok(isAudited({ kind: 'syscall', syscall: 'none', ret: 0 }))
  assert.ok(isAudited({ kind: 'io_uring', syscall: 'none', ret: 0 }))
})
