import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Observation } from '../../../consumer/alerts/observation.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { batchOf, eventOf, processOf, socketOf } from '../support/batches.ts'

const beganUs = 1_000_000_000
const listener = socketOf({ local_address: '0.0.0.0', local_port: 8080 })
const young = processOf({ pid: 200, start_us: beganUs + 60_000_000 })
const old = processOf({ pid: 100, start_us: 5_000_000 })

const at = (seconds: number, batch: number, fields: Partial<EventBatch> = {}): EventBatch =>
  batchOf({ batch, processes: [], clock: { monotonic_us: beganUs + seconds * 1e6, wall_us: 0 }, ...fields })

const begun = (ports: readonly number[] = []): Observation => {
  const observation = new Observation(ports)
  observation.begin(at(0, 1))
  return observation
}

test('a port is announced by a listen that succeeded', () => {
  const observation = begun()
  assert.equal(observation.isAnnounced(young, listener), false)
  observation.see(eventOf({ syscall: 'listen', ret: -98 }), young, listener)
  assert.equal(observation.isAnnounced(young, listener), false)
  observation.see(eventOf({ syscall: 'listen' }), young, listener)
  assert.equal(observation.isAnnounced(young, listener), true)
  assert.deepEqual(observation.ports, [8080])
})

test('a port of another network namespace is another port', () => {
  const observation = begun()
  observation.see(eventOf({ syscall: 'listen' }), young, listener)
  assert.equal(observation.isAnnounced(young, { ...listener, netns: 4026532000 }), false)
})

test('a process that was there before may have listened before', () => {
  assert.equal(begun().isAnnounced(old, listener), true)
})

test('a process that began within a second of the first batch is taken as one that was there before', () => {
  assert.equal(begun().isAnnounced({ ...young, start_us: beganUs + 900_000 }, listener), true)
})

test('what is no internet socket needs no announcement', () => {
  assert.equal(begun().isAnnounced(young, undefined), true)
  assert.equal(begun().isAnnounced(young, { ...listener, family: 1 }), true)
})

test('on a host that was suspended, starts are compared by the clock that went on', () => {
  const observation = new Observation([])
  const suspendedUs = 3_600_000_000
  observation.begin(at(0, 1))
  const before = processOf({ pid: 300, start_us: beganUs + suspendedUs - 5_000_000 })
  assert.equal(observation.isAnnounced(before, listener), false)
  observation.begin(at(10, 2, { processes: [processOf({ pid: 301, start_us: beganUs + suspendedUs + 10_000_000 })] }))
  assert.equal(observation.isAnnounced(before, listener), true)
  assert.equal(observation.isAnnounced({ ...before, start_us: beganUs + suspendedUs + 5_000_000 }, listener), false)
})

test('a fork of what was there before inherits, until it begins a program of its own', () => {
  const observation = begun()
  observation.see(eventOf({ kind: 'fork', syscall: 'none' }), { ...young, ppid: 100 }, undefined)
  assert.equal(observation.isAnnounced(young, listener), true)
  observation.see(eventOf({ kind: 'exec', syscall: 'none' }), young, undefined)
  assert.equal(observation.isAnnounced(young, listener), false)
  const child = processOf({ pid: 201, ppid: 200, start_us: young.start_us + 1 })
  observation.see(eventOf({ kind: 'fork', syscall: 'none' }), child, undefined)
  assert.equal(observation.isAnnounced(child, listener), false)
})

for (const [gap, fields] of [
  ['a new run of the edge', { run: 'run-2' }],
  ['a missing batch', { batch: 3 }],
  ['a declared loss of network events', { drops: [{ class: 'network', reason: 'ring_full', count: 1 }] }],
  ['a declared loss of process events', { drops: [{ class: 'process', reason: 'ring_full', count: 1 }] }]
] as [string, Partial<EventBatch>][]) {
  test(`${gap} begins the observation anew`, () => {
    const observation = begun()
    observation.begin(at(120, 2, fields))
    assert.equal(observation.isAnnounced(young, listener), true)
  })
}

test('a loss of reads and writes changes nothing', () => {
  const observation = begun()
  observation.begin(at(120, 2, { drops: [{ class: 'io', reason: 'ring_full', count: 1 }] }))
  assert.equal(observation.isAnnounced(young, listener), false)
})

test('ports that were announced before a restart still are', () => {
  const observation = begun([8080])
  assert.equal(observation.isAnnounced(young, listener), true)
  assert.equal(observation.isAnnounced(young, { ...listener, local_port: 8081 }), false)
})

test('a run that took over from the one before, with none of its durable batches missing, leaves no gap', () => {
  const takenOver = (batch: number): boolean => {
    const observation = begun()
    observation.begin(at(100, 1, { run: 'run-2', continues: { run: 'run-1', batch } }))
    return observation.isAnnounced(processOf({ pid: 300, start_us: beganUs + 90e6 }), listener)
  }
  assert.equal(takenOver(1), false, 'still watched: the young process was seen to begin, and never listened')
  assert.equal(takenOver(2), true, 'it may have listened in a batch that was missed')
})

test('a listen or an accept through io_uring announces the port, though its outcome is not known', () => {
  const observation = begun()
  observation.see(eventOf({ kind: 'io_uring', syscall: 'listen', call: 'io_uring_listen' }), young, listener)
  assert.equal(observation.isAnnounced(young, listener), true)
  const other = { ...listener, local_port: 9090 }
  observation.see(eventOf({ kind: 'io_uring', syscall: 'accept', call: 'io_uring_accept' }), old, other)
  assert.equal(observation.isAnnounced(young, other), true)
})
