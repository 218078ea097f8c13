// Raw records to EventBatch: each field, and random records that must survive Avro unchanged.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventField, knownCall, knownCalls, recordKind } from '../../../bpf/event.ts'
import { BatchBuilder } from '../../../producer/encode/avsc-batch.ts'
import { ProcessTable } from '../../../producer/encode/process-table.ts'
import { SocketTable } from '../../../producer/encode/socket-table.ts'
import { absentProc } from '../../../producer/proc.ts'
import { RawEvents } from '../../../producer/source/raw-events.ts'
import { decode, encode } from '../../../wire/codec.ts'
import { eventKinds } from '../../../wire/event-kind.ts'
import type { EventBatch, Process, Socket } from '../../../wire/types.ts'
import { randomEvent, randomSummary, randomWorld } from '../../support/random-records.ts'
import { type RawEvent, rawBuffer, rawEvent, rawSummary } from '../../support/raw-events.ts'
import { samples, withoutDetails } from '../../support/records.ts'

const clock = { monotonic_us: 5_000_001, wall_us: 1_769_860_800_000_000 }

const callName = (nr: number, isCompat: boolean): string | undefined =>
  nr % 7 === 3 ? undefined : `call_${isCompat ? 'compat_' : ''}${nr}`

const newBuilder = (): BatchBuilder => new BatchBuilder(new ProcessTable(absentProc), new SocketTable(), callName)

const addAll = (events: readonly RawEvent[], builder: BatchBuilder): void => {
  const bytes = rawBuffer(events)
  const raw = new RawEvents(bytes)
  for (let record = 0; record < bytes.length; record += raw.u32(record)) {
    if (raw.u8(record + eventField.kind) === recordKind.summary) builder.addSummary(raw, record)
    else builder.addEvent(raw, record)
  }
}

const batchOf = (events: readonly RawEvent[], builder = newBuilder()): EventBatch => {
  addAll(events, builder)
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

test('every field of a record becomes a field of the event', () => {
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
      ...withoutDetails
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
      cgroup_id: 77,
      euid: 1000,
      creator_pid: -1,
      creator_start_us: -1
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

test('events of one process and one socket share a row in each batch', () => {
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

test('a path that is not UTF-8 or is truncated is kept', () => {
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

test('a call that the enum Syscall lacks has its name, by ABI', () => {
  const { other } = knownCall
  const { events, summaries } = batchOf([
    rawEvent({ call: other, nr: 39 }),
    rawEvent({ call: other, nr: 20, isCompat: true }),
    rawEvent({ call: other, nr: 3 }),
    rawEvent({ call: 4, nr: 0 }),
    rawEvent({ kind: recordKind.io_uring, call: 6, nr: 784, arg: 16 }),
    rawSummary({ call: other, nr: 39 })
  ])
  assert.deepEqual(
    events.map((event) => [event.kind, event.syscall, event.call, event.arg]),
    [
      ['syscall', 'other', 'call_39', -1],
      ['syscall', 'other', 'call_compat_20', -1],
      ['syscall', 'other', null, -1],
      ['syscall', 'read', null, -1],
      ['io_uring', 'connect', 'call_784', 16]
    ]
  )
  assert.equal(summaries[0]?.call, 'call_39')
})

test('a rename has two paths, an open its flags, a ptrace its request and target', () => {
  const { events } = batchOf([
    rawEvent({ class: 2, call: 24, path: '/a', extra: '/b' }),
    rawEvent({ class: 2, call: 3, path: '/a', arg: 0x80000000 }),
    rawEvent({ class: 0, call: 27, arg: 0, target: 2, reference: 42 }),
    rawEvent({ class: 0, kind: recordKind.exec, call: 0, path: '/a', extra: 'cgroup' })
  ])
  assert.deepEqual(
    events.map(({ path, path_to, arg, target_pid, target_given }) => [path, path_to, arg, target_pid, target_given]),
    [
      ['/a', '/b', -1, -1, -1],
      ['/a', null, 0x80000000, -1, -1],
      [null, null, 0, 42, 2],
      ['/a', null, -1, -1, -1]
    ]
  )
})

test('a summary has its buckets by measure', () => {
  const counted = { count: 2n ** 63n, errors: 3n, totalNs: 4n, bytes: 5n, limited: 6n, uncounted: 7n }
  const { events, processes, summaries } = batchOf([
    rawSummary(
      { class: 1, call: 9, seq: 12n, timeNs: 5_000_000_999n },
      {
        ...counted,
        cells: [
          [0, 320, 7],
          [0, 321, 0xffffffff],
          [1, 65_535, 1],
          [2, 11, 3]
        ]
      }
    )
  ])
  assert.deepEqual(events, [])
  assert.equal(processes[0]?.comm, 'cat')
  assert.deepEqual(summaries, [
    {
      process: 0,
      syscall: 'sendto',
      call: null,
      class: 'network',
      seq: 12,
      time_offset_ns: -1,
      duration_ns: 1_000_000_000,
      count: 2 ** 53 - 2,
      errors: 3,
      total_ns: 4,
      bytes: 5,
      latency: [
        { index: 320, count: 7 },
        { index: 321, count: 0xffffffff }
      ],
      sizes: [{ index: 65_535, count: 1 }],
      errnos: [{ index: 11, count: 3 }],
      limited: 6,
      uncounted: 7
    }
  ])
})

test('nanoseconds are exact after years of uptime', () => {
  const timeNs = 300n * 86_400_000_000_000n * 12n + 123_456_789n
  const later = { monotonic_us: Number(timeNs / 1000n), wall_us: 0 }
  const builder = newBuilder()
  addAll([rawEvent({ timeNs, startNs: timeNs }), rawEvent({ timeNs: timeNs + 1n })], builder)
  const { events, processes } = builder.take(later)
  assert.deepEqual(
    events.map((event) => event.time_offset_ns),
    [789, 790]
  )
  assert.equal(processes[0]?.start_us, Number(timeNs / 1000n))
})

test('the bound on the size holds for the encoded rows', () => {
  const empty = { ...samples.EventBatch, processes: [], sockets: [], stacks: [], events: [], summaries: [] }
  const header = encode('EventBatch', empty).length
  for (let round = 0; round < 50; round++) {
    const world = randomWorld(50, 50)
    const builder = newBuilder()
    addAll([...Array.from({ length: 50 }, () => randomEvent(world)), randomSummary(world)], builder)
    // Each array also has the length of its block; an empty one has its end marker in the header.
    const bound = builder.bytes + 4 * 5
    assert.ok(encode('EventBatch', { ...empty, ...builder.take(clock) }).length - header <= bound)
  }
})

const nearest = (value: bigint): number => {
  const [least, greatest] = [-(2n ** 52n), 2n ** 53n - 2n]
  return Number(value < least ? least : value > greatest ? greatest : value)
}

test('any record survives Avro unchanged', () => {
  for (let round = 0; round < 50; round++) {
    const world = randomWorld(20, 10)
    const given = Array.from({ length: 100 }, () => randomEvent(world))
    const batch = batchOf([...given, randomSummary(world)])
    assert.deepStrictEqual(decode('EventBatch', encode('EventBatch', batch)), batch)
    batch.events.forEach((event, i) => {
      const from = given[i] as RawEvent
      assert.equal(event.kind, eventKinds[from.kind] ?? 'other')
      assert.equal(event.syscall, knownCalls[from.call] ?? 'none')
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
        const lengths: Readonly<Record<number, number>> = { 2: 4, 10: 16, 40: 4 }
        const length = lengths[from.socket.family] ?? 0
        assert.deepEqual(socket.remote_address, Buffer.from(from.socket.remoteAddress.subarray(0, length)))
        assert.equal(socket.remote_port, from.socket.remotePort)
      }
    })
  }
})

test('messages, resolve flags, registered files and calls that were not entered have fields of their own', () => {
  const { events } = batchOf([
    rawEvent({ class: 1, call: knownCall.sendmmsg, messages: 3, amount: 30n }),
    rawEvent({ class: 1, kind: recordKind.messages, call: knownCall.sendmmsg, messages: 1, origin: 2, originId: 9n }),
    rawEvent({ class: 2, call: knownCall.openat2, amount: 8n, notEntered: true }),
    rawEvent({ class: 1, kind: recordKind.io_uring, call: knownCall.sendmsg, nr: 777, arg: 9, reference: 5 }),
    rawEvent({ class: 1, kind: recordKind.io_uring_outcome, call: knownCall.sendmsg, nr: 777, arg: 9, originId: 7n })
  ])
  assert.deepEqual(
    events.map(({ kind, messages, bytes, resolve, registered_file, entered }) => [
      ...[kind, messages, bytes],
      ...[resolve, registered_file, entered]
    ]),
    [
      ['syscall', 3, 30, -1, -1, true],
      ['messages', 1, 0, -1, -1, true],
      ['syscall', -1, -1, 8, -1, false],
      ['io_uring', -1, -1, -1, 5, true],
      ['io_uring_outcome', -1, -1, -1, -1, true]
    ]
  )
  assert.deepEqual(
    events.map(({ call, call_cpu, call_seq }) => [call, call_cpu, call_seq]),
    [
      [null, -1, -1],
      [null, 2, 9],
      [null, -1, -1],
      ['call_777', -1, -1],
      ['call_777', 0, 7]
    ]
  )
})
