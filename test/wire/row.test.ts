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
    ...['time', 'host', 'kind', 'pid', 'tid', 'ppid', 'comm', 'exe', 'uid', 'container_id', 'syscall', 'ret', 'errno'],
    ...['duration_ns', 'fd', 'bytes', 'path', 'path_to', 'arg', 'target_pid', 'family', 'protocol'],
    ...[
      'local_address',
      'local_port',
      'remote_address',
      'remote_port',
      'go_function',
      'go_file',
      'go_line',
      'cpu',
      'seq'
    ]
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
    container_id: null,
    syscall: 'connect',
    ret: -111,
    errno: 'ECONNREFUSED',
    duration_ns: 30_500,
    fd: 5,
    bytes: null,
    path: null,
    path_to: null,
    arg: null,
    target_pid: null,
    family: 'ipv4',
    protocol: 'tcp',
    local_address: '10.0.0.5',
    local_port: 40_000,
    remote_address: '203.0.113.7',
    remote_port: 443,
    go_function: 'main.(*Server).dial',
    go_file: '/src/web/server.go',
    go_line: 42,
    cpu: 0,
    seq: 1001
  })
})

test('a field that does not apply to an event is null', () => {
  const row = eventRow(batch, event(1))
  for (const name of [
    'syscall',
    'errno',
    'fd',
    'bytes',
    'family',
    'protocol',
    'local_address',
    'remote_port'
  ] as const) {
    assert.equal(row[name], null, name)
  }
  assert.equal(row.path, '/usr/local/bin/naïve')
  assert.equal(row.time, '2026-01-31T12:00:00.000000250Z')
})

test('an audit row is the event row with boot, start_us and netns', () => {
  assert.deepEqual(auditRecordOf(batch, event(0)), samples.AuditRecord)
  const { netns, start_us, boot, ...row } = auditRow(samples.AuditRecord)
  assert.deepEqual(row, eventRow(batch, event(0)))
  assert.deepEqual({ netns, start_us, boot }, { netns: 4_026_531_840, start_us: 1_000_000, boot: batch.boot })
})

test('rollups and alerts show their times as text', () => {
  assert.equal(rollupRow(samples.Rollup).window_start, '2026-01-31T12:00:00.000000Z')
  const row = alertRow(samples.Alert)
  assert.deepEqual([row.first_seen, row.last_seen], ['2026-01-31T12:00:00.000001Z', '2026-01-31T12:00:05.000000Z'])
  assert.equal(row.count, 21)
})
