import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAudited } from '../../../consumer/audit/selection.ts'
import { syscallClasses } from '../../../wire/event-class.ts'

const syscalls = Object.keys(syscallClasses)

test('docs/audit.md says of every call whether the log has it, and why', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/audit.md'), 'utf8')
  const rows = new Map(
    [...page.matchAll(/^\| (\w+) +\| (yes|no) +\| (\S.*?) +\|$/gm)].map(([, name = '', answer]) => [name, answer])
  )
  for (const syscall of syscalls) {
    assert.equal(rows.get(syscall), isAudited({ kind: 'syscall', syscall, ret: 0 }) ? 'yes' : 'no', syscall)
  }
})

test('the log has all calls but those of the classes file and io', () => {
  assert.deepEqual(
    syscalls.filter((syscall) => !isAudited({ kind: 'syscall', syscall, ret: 0 })),
    [
      ...['open', 'openat', 'openat2', 'read', 'write', 'recvfrom', 'recvmsg', 'recvmmsg'],
      ...['unlink', 'unlinkat', 'rename', 'renameat', 'renameat2', 'other', 'creat', 'open_by_handle_at'],
      ...['link', 'linkat', 'symlink', 'symlinkat', 'truncate']
    ]
  )
})

test('the log has calls that failed', () => {
  assert.ok(isAudited({ kind: 'syscall', syscall: 'connect', ret: -115 }))
  assert.ok(isAudited({ kind: 'syscall', syscall: 'execve', ret: -2 }))
  assert.ok(isAudited({ kind: 'syscall', syscall: 'accept', ret: -22 }))
})

test('the log has a send that returned EAGAIN, but no such accept', () => {
  assert.ok(!isAudited({ kind: 'syscall', syscall: 'accept', ret: -11 }))
  assert.ok(!isAudited({ kind: 'syscall', syscall: 'accept4', ret: -11 }))
  assert.ok(isAudited({ kind: 'syscall', syscall: 'sendto', ret: -11 }))
})

test('the log has a request to io_uring when it has the call that the request stands for', () => {
  assert.ok(isAudited({ kind: 'io_uring', syscall: 'connect', ret: 0 }))
  assert.ok(isAudited({ kind: 'io_uring', syscall: 'sendmsg', ret: 0 }))
  assert.ok(!isAudited({ kind: 'io_uring', syscall: 'openat', ret: 0 }))
  assert.ok(!isAudited({ kind: 'io_uring', syscall: 'other', ret: 0 }))
})

test('the log has outcomes of requests and further messages when it has their call', () => {
  assert.ok(isAudited({ kind: 'io_uring_outcome', syscall: 'connect', ret: -111 }))
  assert.ok(!isAudited({ kind: 'io_uring_outcome', syscall: 'openat', ret: 3 }))
  assert.ok(isAudited({ kind: 'messages', syscall: 'sendmmsg', ret: 0 }))
  assert.ok(!isAudited({ kind: 'messages', syscall: 'recvmmsg', ret: 0 }))
})

test('the log has starts and ends of processes, outcomes of connects, and calls of a newer edge', () => {
  for (const kind of ['exec', 'fork', 'exit', 'connect_outcome', 'other'] as const) {
    assert.ok(isAudited({ kind, syscall: 'none', ret: 0 }))
  }
  assert.ok(isAudited({ kind: 'syscall', syscall: 'none', ret: 0 }))
  assert.ok(isAudited({ kind: 'io_uring', syscall: 'none', ret: 0 }))
})
