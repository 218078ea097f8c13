import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnnouncedPorts } from '../../../consumer/alerts/announced-ports.ts'
import type { EventBatch, Process } from '../../../wire/types.ts'
import { batchOf, eventOf, processOf, socketOf } from '../support/batches.ts'

const beganUs = 1_000_000_000
const listener = socketOf({ local_address: '0.0.0.0', local_port: 8080 })
const young = processOf({ pid: 200, start_us: beganUs + 60_000_000 })
const old = processOf({ pid: 100, start_us: 5_000_000 })

const at = (seconds: number, batch: number, fields: Partial<EventBatch> = {}): EventBatch =>
  batchOf({ batch, processes: [], clock: { monotonic_us: beganUs + seconds * 1e6, wall_us: 0 }, ...fields })

const createPorts = (restored: readonly number[] = []): AnnouncedPorts => {
  const ports = new AnnouncedPorts(restored)
  ports.begin(at(0, 1))
  return ports
}

const childOf = ({ pid, start_us }: Process, fields: Partial<Process>): Process =>
  processOf({ ppid: pid, creator_pid: pid, creator_start_us: start_us, ...fields })

test('a successful listen announces the port', () => {
  const ports = createPorts()
  assert.equal(ports.isAnnounced(young, listener), false)
  ports.see(eventOf({ syscall: 'listen', ret: -98 }), young, listener)
  assert.equal(ports.isAnnounced(young, listener), false)
  ports.see(eventOf({ syscall: 'listen' }), young, listener)
  assert.equal(ports.isAnnounced(young, listener), true)
  assert.deepEqual(ports.numbers, [8080])
})

test('a listen does not announce the port in another network namespace', () => {
  const ports = createPorts()
  ports.see(eventOf({ syscall: 'listen' }), young, listener)
  assert.equal(ports.isAnnounced(young, { ...listener, netns: 4026532000 }), false)
})

test('a process that is older than the observation may have listened before', () => {
  assert.equal(createPorts().isAnnounced(old, listener), true)
})

test('a process that started within a second of the first batch counts as older', () => {
  assert.equal(createPorts().isAnnounced({ ...young, start_us: beganUs + 900_000 }, listener), true)
})

test('a socket without a port needs no announcement', () => {
  assert.equal(createPorts().isAnnounced(young, undefined), true)
  assert.equal(createPorts().isAnnounced(young, { ...listener, family: 1 }), true)
})

test('on a host that was suspended, starts of processes are compared on the boot-time clock', () => {
  const ports = new AnnouncedPorts([])
  const suspendedUs = 3_600_000_000
  ports.begin(at(0, 1))
  const before = processOf({ pid: 300, start_us: beganUs + suspendedUs - 5_000_000 })
  assert.equal(ports.isAnnounced(before, listener), false)
  ports.begin(at(10, 2, { processes: [processOf({ pid: 301, start_us: beganUs + suspendedUs + 10_000_000 })] }))
  assert.equal(ports.isAnnounced(before, listener), true)
  assert.equal(ports.isAnnounced({ ...before, start_us: beganUs + suspendedUs + 5_000_000 }, listener), false)
})

test('a child of an older process inherits its sockets until it executes another program', () => {
  const ports = createPorts()
  ports.see(eventOf({ kind: 'fork', syscall: 'none' }), { ...young, ppid: 100 }, undefined)
  assert.equal(ports.isAnnounced(young, listener), true)
  ports.see(eventOf({ kind: 'exec', syscall: 'none' }), young, undefined)
  assert.equal(ports.isAnnounced(young, listener), false)
  const child = childOf(young, { pid: 201, start_us: young.start_us + 1 })
  ports.see(eventOf({ kind: 'fork', syscall: 'none' }), child, undefined)
  assert.equal(ports.isAnnounced(child, listener), false)
})

test('what a process inherits depends on its creator, not on its parent or on who had its pid before', () => {
  const ports = createPorts()
  ports.see(eventOf({ kind: 'exec', syscall: 'none' }), young, undefined)
  const sibling = childOf(young, { pid: 201, ppid: 100, start_us: young.start_us + 1 })
  ports.see(eventOf({ kind: 'fork', syscall: 'none' }), sibling, undefined)
  assert.equal(ports.isAnnounced(sibling, listener), false, 'clone(CLONE_PARENT) by a program of its own')
  const stranger = childOf(old, { pid: 202, ppid: young.pid, start_us: young.start_us + 2 })
  ports.see(eventOf({ kind: 'fork', syscall: 'none' }), stranger, undefined)
  assert.equal(ports.isAnnounced(stranger, listener), true)
  const later = { ...stranger, start_us: stranger.start_us + 60_000_000 }
  assert.equal(ports.isAnnounced(later, listener), false, 'its pid had a process that inherited')
})

for (const [gap, fields] of [
  ['a new run of the edge', { run: 'run-2' }],
  ['a missing batch', { batch: 3 }],
  ['a declared loss of network events', { drops: [{ class: 'network', reason: 'ring_full', count: 1 }] }],
  ['a declared loss of process events', { drops: [{ class: 'process', reason: 'ring_full', count: 1 }] }]
] as [string, Partial<EventBatch>][]) {
  test(`the observation begins anew after ${gap}`, () => {
    const ports = createPorts()
    ports.begin(at(120, 2, fields))
    assert.equal(ports.isAnnounced(young, listener), true)
  })
}

test('the observation continues after a loss of reads and writes', () => {
  const ports = createPorts()
  ports.begin(at(120, 2, { drops: [{ class: 'io', reason: 'ring_full', count: 1 }] }))
  assert.equal(ports.isAnnounced(young, listener), false)
})

test('a restart keeps the announced ports', () => {
  const ports = createPorts([8080])
  assert.equal(ports.isAnnounced(young, listener), true)
  assert.equal(ports.isAnnounced(young, { ...listener, local_port: 8081 }), false)
})

test('a takeover without a missing batch leaves no gap', () => {
  const takenOver = (batch: number): boolean => {
    const ports = createPorts()
    ports.begin(at(100, 1, { run: 'run-2', continues: { run: 'run-1', batch } }))
    return ports.isAnnounced(processOf({ pid: 300, start_us: beganUs + 90e6 }), listener)
  }
  assert.equal(takenOver(1), false, 'the start of the young process was observed, and it never listened')
  assert.equal(takenOver(2), true, 'it may have listened in the missing batch')
})

test('a request to io_uring for a listen or an accept announces the port, whatever its outcome', () => {
  const ports = createPorts()
  ports.see(eventOf({ kind: 'io_uring', syscall: 'listen', call: 'io_uring_listen' }), young, listener)
  assert.equal(ports.isAnnounced(young, listener), true)
  const other = { ...listener, local_port: 9090 }
  ports.see(eventOf({ kind: 'io_uring', syscall: 'accept', call: 'io_uring_accept' }), old, other)
  assert.equal(ports.isAnnounced(young, other), true)
})
