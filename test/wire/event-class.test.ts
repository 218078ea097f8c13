import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classOfEvent } from '../../wire/event-class.ts'

test('a process that begins or ends, and what traces or starts one, is of class process', () => {
  for (const kind of ['exec', 'fork', 'exit'] as const) {
    assert.equal(classOfEvent({ kind, syscall: 'none', socket: -1 }), 'process')
  }
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'execve', socket: -1 }), 'process')
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'ptrace', socket: -1 }), 'process')
})

test('connections, their outcomes and their ends are of class network; the close of a file is not', () => {
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'connect', socket: 0 }), 'network')
  assert.equal(classOfEvent({ kind: 'socket_state', syscall: 'connect', socket: 0 }), 'network')
  assert.equal(classOfEvent({ kind: 'io_uring', syscall: 'connect', socket: -1 }), 'network')
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'close', socket: 3 }), 'network')
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'close', socket: -1 }), 'io')
})

test('files are of class file; reads, writes and every call without a class of its own of class io', () => {
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'openat2', socket: -1 }), 'file')
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'recvmsg', socket: 1 }), 'io')
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'other', socket: -1 }), 'io')
})
