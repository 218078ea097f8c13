// Raw records to EventBatch: each field, and random records that Avro must carry unchanged.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { BatchBuilder } from '../../producer/batch.ts'
import { absentProc } from '../../producer/proc.ts'
import { ProcessTable } from '../../producer/process-table.ts'
import { callNames, eventKinds, RawEvents } from '../../producer/raw-event.ts'
import { SocketTable } from '../../producer/socket-table.ts'
import { walkRecords } from '../../producer/walk.ts'
import { decode, encode } from '../../wire/codec.ts'
import type { EventBatch, Process, Socket } from '../../wire/types.ts'
import { type RawEvent, rawBuffer, rawEvent } from '../support/raw-events.ts'
import { samples } from '../support/records.ts'

const clock = { monotonic_us: 5_000_001, wall_us: 1_769_860_800_000_000 }

const newBuilder = (): BatchBuilder => new BatchBuilder(new ProcessTable(absentProc), new SocketTable())

const batchOf = (events: readonly RawEvent[], builder = newBuilder()): EventBatch => {
  const bytes = rawBuffer(events)
  const raw = new RawEvents(bytes)
  for (let record = 0; record < bytes.length; record += raw.u32(record)) builder.add(raw, record)
  return { ...samples.EventBatch, clock, ...builder.take(clock) }
}

const ipv4Socket = {
  family: 2,
  type: 1,
  protocol: 6,
  netns: 4_026_531_840,
  localAddress: Buffer.from([10, 0, 0, 5]),
  localPort: 40_000,
  remoteAddress: Buffer.from([203, 0, 113, 7]),
  remotePort: 443
}

test('every field of a record arrives under its name', () => {
  const { events, processes, sockets } = batchOf([
    rawEvent({ class: 1, call: 6, seq: 1001n, ret: -111n, tid: 101, cpu: 2, fd: 5, comm: 'curl', socket: ipv4Socket })
  ])
  assert.deepEqual(events, [
    {
      kind: 'syscall',
      syscall: 'connect',
      process: 0,
      socket: 0,
      cpu: 2,
      seq: 1001,
      time_offset_ns: -1000,
      duration_ns: 1500,
      tid: 101,
      ret: -111,
      fd: 5,
      path: null,
      path_truncated: false,
      call: null,
      path_to: null,
      arg: -1,
      target_pid: -1
    }
  ])
  assert.deepEqual(processes, [
    {
      pid: 100,
      start_us: 1_000_000,
      ppid: 1,
      uid: 1000,
      comm: 'curl',
      exe: null,
      container_id: null,
      cgroup_id: 77
    }
  ])
  assert.deepEqual(sockets, [
    {
      family: 2,
      type: 1,
      protocol: 6,
      netns: 4_026_531_840,
      local_address: Buffer.from([10, 0, 0, 5]),
      local_port: 40_000,
      remote_address: Buffer.from([203, 0, 113, 7]),
      remote_port: 443
    }
  ])
})

test('events of one process and one socket share a row, in each batch anew', () => {
  const builder = newBuilder()
  const events = [rawEvent({ socket: ipv4Socket }), rawEvent({ socket: ipv4Socket }), rawEvent({ comm: 'other' })]
  for (let round = 0; round < 2; round++) {
    const batch = batchOf(events, builder)
    assert.deepEqual(
      batch.events.map((event) => [event.process, event.socket]),
      [
        [0, 0],
        [0, 0],
        [1, -1]
      ]
    )
    assert.deepEqual(
      batch.processes.map((row) => row.comm),
      ['cat', 'other']
    )
    assert.equal(batch.sockets.length, 1)
  }
})

test('a path that is not UTF-8, or cut off, is still a path', () => {
  const { events } = batchOf([
    rawEvent({ path: Buffer.from('2f746d702fff80c3', 'hex') }),
    rawEvent({ path: `/${'é'.repeat(2000)}`, pathTruncated: true }),
    rawEvent({ comm: Buffer.from([0xff, 0xfe]) })
  ])
  assert.equal(events[0]?.path, '/tmp/\ufffd\ufffd\ufffd')
  assert.equal(events[1]?.path, `/${'é'.repeat(2000)}`)
  assert.deepEqual(
    events.map((event) => event.path_truncated),
    [false, true, false]
  )
})

test('nanoseconds stay exact after years of uptime', () => {
  const timeNs = 300n * 86_400_000_000_000n * 12n + 123_456_789n
  const later = { monotonic_us: Number(timeNs / 1000n), wall_us: 0 }
  const builder = newBuilder()
  const bytes = rawBuffer([rawEvent({ timeNs, startNs: timeNs }), rawEvent({ timeNs: timeNs + 1n })])
  const raw = new RawEvents(bytes)
  walkRecords(raw, bytes.length, (record) => builder.add(raw, record))
  const { events, processes } = builder.take(later)
  assert.deepEqual(
    events.map((event) => event.time_offset_ns),
    [789, 790]
  )
  assert.equal(processes[0]?.start_us, Number(timeNs / 1000n))
})

test('the bound on the size holds for what is encoded', () => {
  const builder = newBuilder()
  const events = Array.from({ length: 50 }, (_, i) =>
    rawEvent({
      pid: i + 1,
      path: randomBytes(200),
      comm: randomBytes(15),
      cgroupId: 2n ** 63n,
      seq: 2n ** 63n,
      durationNs: 2n ** 63n,
      ret: -(2n ** 62n),
      socket: { ...ipv4Socket, family: 10, localAddress: randomBytes(16), remoteAddress: randomBytes(16) }
    })
  )
  const bytes = rawBuffer(events)
  const raw = new RawEvents(bytes)
  walkRecords(raw, bytes.length, (record) => builder.add(raw, record))
  const bound = builder.bytes
  const empty = { ...samples.EventBatch, sequences: [], drops: [], processes: [], sockets: [], events: [] }
  const header = encode('EventBatch', empty).length
  assert.ok(encode('EventBatch', { ...empty, ...builder.take(clock) }).length - header <= bound)
})

const random64 = (): bigint => randomBytes(8).readBigInt64LE() >> BigInt(Math.floor(Math.random() * 64))
const random32 = (): number => randomBytes(4).readUInt32LE() >>> Math.floor(Math.random() * 32)
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value)

const randomEvent = (): RawEvent => ({
  kind: Math.floor(Math.random() * 8),
  class: Math.floor(Math.random() * 4),
  call: Math.floor(Math.random() * 24),
  seq: unsigned(random64()),
  timeNs: unsigned(random64()),
  durationNs: unsigned(random64()),
  ret: random64(),
  startNs: unsigned(random64()),
  cgroupId: unsigned(random64()),
  cpu: random32() % 1024,
  pid: random32(),
  tid: random32(),
  ppid: random32(),
  uid: random32(),
  fd: random32() | 0,
  nr: random32() & 0x3ff,
  isCompat: Math.random() < 0.5,
  step: 0,
  arg: random32(),
  target: random32() | 0,
  more: '',
  comm: randomBytes(Math.floor(Math.random() * 17)),
  path: randomBytes(Math.random() < 0.5 ? 0 : Math.floor(Math.random() * 300)),
  pathTruncated: Math.random() < 0.5,
  socket:
    Math.random() < 0.5
      ? undefined
      : {
          family: [1, 2, 10, 16, random32() % 65_536][Math.floor(Math.random() * 5)] as number,
          type: random32() % 65_536,
          protocol: random32() % 65_536,
          netns: random32(),
          localAddress: randomBytes(16),
          localPort: random32() % 65_536,
          remoteAddress: randomBytes(16),
          remotePort: random32() % 65_536
        }
})

const nearest = (value: bigint): number => {
  const [least, greatest] = [-(2n ** 52n), 2n ** 53n - 2n]
  return Number(value < least ? least : value > greatest ? greatest : value)
}

test('whatever a record holds, Avro takes it and gives it back', () => {
  for (let round = 0; round < 50; round++) {
    const given = Array.from({ length: 100 }, randomEvent)
    const batch = batchOf(given)
    assert.deepStrictEqual(decode('EventBatch', encode('EventBatch', batch)), batch)
    batch.events.forEach((event, i) => {
      const from = given[i] as RawEvent
      assert.equal(event.kind, eventKinds[from.kind] ?? 'other')
      assert.equal(event.syscall, callNames[from.call] ?? 'none')
      assert.equal(event.seq, nearest(from.seq))
      assert.equal(event.ret, nearest(from.ret))
      assert.equal(event.duration_ns, nearest(from.durationNs))
      assert.equal(event.fd, from.fd)
      const process = batch.processes[event.process] as Process
      assert.equal(process.pid, from.pid | 0)
      assert.equal(process.uid, from.uid)
      assert.equal(process.start_us, nearest(from.startNs / 1000n))
      assert.equal(event.socket === -1, from.socket === undefined)
      if (from.socket !== undefined) {
        const socket = batch.sockets[event.socket] as Socket
        const length = from.socket.family === 2 ? 4 : from.socket.family === 10 ? 16 : 0
        assert.deepEqual(socket.remote_address, Buffer.from(from.socket.remoteAddress.subarray(0, length)))
        assert.equal(socket.remote_port, from.socket.remotePort)
      }
    })
  }
})
