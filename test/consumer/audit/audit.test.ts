import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditOf } from '../../../consumer/audit/audit.ts'
import type { AuditRecord } from '../../../wire/types.ts'
import { batchOf, eventOf, processOf, socketOf } from '../support/batches.ts'

test('a record holds its event with process, socket and names resolved', () => {
  const batch = batchOf({
    processes: [processOf({ pid: 42, ppid: 7, comm: 'curl', exe: '/usr/bin/curl', container_id: 'c1' })],
    sockets: [
      socketOf({ local_address: '10.0.0.1', local_port: 40_000, remote_address: '203.0.113.9', remote_port: 443 })
    ],
    events: [
      eventOf({ syscall: 'connect', socket: 0, cpu: 3, seq: 99, tid: 43, fd: 5, ret: -115, time_offset_ns: -1_500 }),
      eventOf({ syscall: 'read' })
    ]
  })
  const record: AuditRecord = {
    time: batch.clock.wall_us - 2,
    time_ns: 500,
    host: 'host-a',
    boot: 'boot-1',
    cpu: 3,
    seq: 99,
    kind: 'syscall',
    syscall: 'connect',
    pid: 42,
    tid: 43,
    ppid: 7,
    start_us: 5_000_000,
    comm: 'curl',
    exe: '/usr/bin/curl',
    uid: 1000,
    container_id: 'c1',
    ret: -115,
    errno: 'EINPROGRESS',
    duration_ns: 1000,
    fd: 5,
    bytes: null,
    path: null,
    path_to: null,
    arg: null,
    target_pid: null,
    go_function: null,
    go_file: null,
    go_line: null,
    family: 'ipv4',
    protocol: 'tcp',
    local_address: '10.0.0.1',
    local_port: 40_000,
    remote_address: '203.0.113.9',
    remote_port: 443,
    netns: 4026531840,
    verdict: 'expected',
    euid: 1000,
    path_truncated: false,
    path_opened: false,
    path_given: null,
    address_given: false,
    argument_changed: false,
    call_cpu: null,
    call_seq: null,
    creator_pid: null,
    creator_start_us: null,
    path_deleted: false,
    socket_type: 'stream',
    entered: true,
    messages: null,
    target_given: null,
    resolve: null,
    registered_file: null
  }
  assert.deepEqual(auditOf(batch), [{ to: 'audit', value: record }])
})

test('records are in the order of the batch', () => {
  const events = ['connect', 'close', 'listen', 'accept'].map((syscall, seq) => eventOf({ syscall, seq }))
  const seqs = auditOf(batchOf({ events })).map(({ value }) => (value as AuditRecord).seq)
  assert.deepEqual(seqs, [0, 1, 2, 3])
})
