import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditRecordOf } from '../../wire/audit-record.ts'
import { alertRow, auditRow, eventRow, rollupRow } from '../../wire/row.ts'
import type { Event } from '../../wire/types.ts'
import { samples } from '../support/records.ts'

const batch = samples.EventBatch
const event = (i: number): Event => batch.events[i] as Event

test('a row has the fields that people query, in order', () => {
  assert.deepEqual(Object.keys(eventRow(batch, event(0))), [
    ...['time', 'host', 'kind', 'pid', 'tid', 'ppid', 'comm', 'exe', 'uid', 'euid', 'container_id', 'syscall', 'ret'],
    ...[
      'verdict',
      'errno',
      'entered',
      'duration_ns',
      'fd',
      'bytes',
      'messages',
      'path',
      'path_to',
      'path_given',
      'path_opened'
    ],
    ...[
      'path_truncated',
      'path_deleted',
      'arg',
      'flags',
      'request',
      'target_pid',
      'target_given',
      'resolve',
      'registered_file',
      'family',
      'socket_type',
      'protocol'
    ],
    ...[
      'local_address',
      'local_port',
      'remote_address',
      'remote_port',
      'address_given',
      'argument_changed',
      'netns',
      'go_function',
      'go_file',
      'go_line',
      'cpu',
      'seq'
    ],
    ...['call_cpu', 'call_seq']
  ])
})

test('the row of a failed connect has its error, its addresses and its time to the nanosecond', () => {
  assert.deepEqual(eventRow(batch, event(0)), {
    time: '2026-01-31T11:59:59.998765433Z',
    host: 'web-1',
    kind: 'syscall',
    pid: 100,
    tid: 101,
    ppid: 1,
    comm: 'curl',
    exe: '/usr/bin/curl',
    uid: 1000,
    euid: 1000,
    container_id: null,
    syscall: 'connect',
    ret: -111,
    verdict: 'failed',
    errno: 'ECONNREFUSED',
    entered: true,
    duration_ns: 30_500,
    fd: 5,
    bytes: null,
    messages: null,
    path: null,
    path_to: null,
    path_given: null,
    path_opened: false,
    path_truncated: false,
    path_deleted: false,
    arg: null,
    flags: null,
    request: null,
    target_pid: null,
    target_given: null,
    resolve: null,
    registered_file: null,
    family: 'ipv4',
    socket_type: 'stream',
    protocol: 'tcp',
    local_address: '10.0.0.5',
    local_port: 40_000,
    remote_address: '203.0.113.7',
    remote_port: 443,
    address_given: true,
    argument_changed: true,
    netns: 4_026_531_840,
    go_function: 'main.(*Server).dial',
    go_file: '/src/web/server.go',
    go_line: 42,
    cpu: 0,
    seq: 1001,
    call_cpu: null,
    call_seq: null
  })
})

test('a field that does not apply to an event is null', () => {
  const row = eventRow(batch, event(1))
  for (const name of [
    'syscall',
    'errno',
    'fd',
    'bytes',
    'flags',
    'request',
    'family',
    'socket_type',
    'protocol',
    'local_address',
    'remote_port'
  ] as const) {
    assert.equal(row[name], null, name)
  }
  assert.equal(row.path, '…/bin/naïve')
  assert.equal(row.time, '2026-01-31T12:00:00.000000250Z')
})

test('flags and requests have their names beside the number', () => {
  const rowOf = (syscall: string, arg: number) => eventRow(batch, { ...event(0), syscall, arg })
  const open = rowOf('openat', 0o2001101)
  assert.deepEqual([open.arg, open.flags, open.request], [0o2001101, 'O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC', null])
  const ptrace = rowOf('ptrace', 16)
  assert.deepEqual([ptrace.arg, ptrace.flags, ptrace.request], [16, null, 'PTRACE_ATTACH'])
  // Its arg is the operation.
  assert.deepEqual([eventRow(batch, event(2)).arg, eventRow(batch, event(2)).flags], [35, null])
})

test('an audit row is the event row with what identifies event, process and creator', () => {
  assert.deepEqual(auditRecordOf(batch, event(0)), samples.AuditRecord)
  const { start_us, boot, creator_pid, creator_start_us, ...row } = auditRow(samples.AuditRecord)
  assert.deepEqual(row, eventRow(batch, event(0)))
  assert.deepEqual({ start_us, boot }, { start_us: 1_000_000, boot: batch.boot })
  assert.deepEqual({ creator_pid, creator_start_us }, { creator_pid: 1, creator_start_us: 10_000 })
})

test('rollups and alerts show their times as text', () => {
  assert.equal(rollupRow(samples.Rollup).window_start, '2026-01-31T12:00:00.000000Z')
  const row = alertRow(samples.Alert)
  assert.deepEqual([row.first_seen, row.last_seen], ['2026-01-31T12:00:00.000001Z', '2026-01-31T12:00:05.000000Z'])
  assert.equal(row.count, 21)
})
