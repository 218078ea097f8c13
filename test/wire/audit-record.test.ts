import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditRecordOf, eventErrno } from '../../wire/audit-record.ts'
import type { Event, EventBatch, Socket } from '../../wire/types.ts'
import { samples } from '../support/records.ts'

const batch = samples.EventBatch
const event = (i: number): Event => batch.events[i] as Event

const withSocket = (socket: Partial<Socket>): [EventBatch, Event] => [
  { ...batch, sockets: [{ ...(batch.sockets[0] as Socket), ...socket }] },
  { ...event(0), socket: 0 }
]

test('a unix socket has a family, but no protocol, address or port', () => {
  const record = auditRecordOf(...withSocket(batch.sockets[1] as Socket))
  assert.deepEqual(
    [record.family, record.protocol, record.local_address, record.local_port, record.remote_port, record.netns],
    ['unix', null, null, null, null, 4_026_531_840]
  )
})

test('an endpoint without address and port is null', () => {
  const zero = Buffer.alloc(4)
  const listening = auditRecordOf(...withSocket({ remote_address: zero, remote_port: 0, local_address: zero }))
  assert.deepEqual([listening.local_address, listening.local_port], ['0.0.0.0', 40_000])
  assert.deepEqual([listening.remote_address, listening.remote_port], [null, null])
})

test('a request of io_uring has its own name, and no bytes and no error', () => {
  const record = auditRecordOf(batch, { ...event(2), kind: 'io_uring', call: 'io_uring_read', ret: 0 })
  assert.deepEqual([record.kind, record.syscall, record.bytes, record.errno], ['io_uring', 'io_uring_read', null, null])
})

test('the exit status of a process is no error', () => {
  assert.equal(eventErrno('exit', -9), null)
  assert.equal(eventErrno('connect_outcome', -110), 'ETIMEDOUT')
})

test('an event of a missing process is a DATA error', () => {
  assert.throws(() => auditRecordOf(batch, { ...event(0), process: 2 }), { code: 'DATA', message: /batch 7 of web-1/ })
})
