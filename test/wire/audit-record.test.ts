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

test('a vsock has cids and ports', () => {
  const [any, host] = [Buffer.from([255, 255, 255, 255]), Buffer.from([2, 0, 0, 0])]
  const socket = { family: 40, protocol: 0, local_address: any, local_port: 0xff_ff_ff_ff }
  const record = auditRecordOf(...withSocket({ ...socket, remote_address: host, remote_port: 9999 }))
  assert.deepEqual(
    [record.family, record.local_address, record.local_port, record.remote_address, record.remote_port],
    ['vsock', null, null, '2', 9999]
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

test('the outcome of a request and further messages are no calls of their own', () => {
  const outcome = {
    ...event(2),
    kind: 'io_uring_outcome',
    call: 'io_uring_openat',
    syscall: 'openat',
    ret: -2
  } as const
  const record = auditRecordOf(batch, outcome)
  assert.deepEqual([record.syscall, record.ret, record.errno, record.verdict], [null, -2, 'ENOENT', 'expected'])
  const messages = {
    ...event(0),
    kind: 'messages',
    syscall: 'sendmmsg',
    call: null,
    ret: 0,
    bytes: 40,
    messages: 4
  } as const
  const rest = auditRecordOf(batch, messages)
  assert.deepEqual([rest.syscall, rest.ret, rest.bytes, rest.messages, rest.verdict], [null, null, 40, 4, 'ok'])
})

test('the exit status of a process is no error', () => {
  assert.equal(eventErrno('exit', -9), null)
  assert.equal(eventErrno('connect_outcome', -110), 'ETIMEDOUT')
})

test('an event of a missing process is a DATA error', () => {
  assert.throws(() => auditRecordOf(batch, { ...event(0), process: 2 }), { code: 'DATA', message: /batch 7 of web-1/ })
})
