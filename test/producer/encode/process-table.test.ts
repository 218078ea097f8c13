// Where a process's executable and container come from, and how long they are believed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProcessTable } from '../../../producer/encode/process-table.ts'
import type { ProcessFacts, ProcReader } from '../../../producer/proc.ts'
import { RawEvents } from '../../../producer/source/raw-event.ts'
import type { Process } from '../../../wire/types.ts'
import { type RawEvent, rawBuffer, rawEvent } from '../../support/raw-events.ts'

/** A /proc that counts how often it is read. */
class FakeProc implements ProcReader {
  readonly now = new Map<number, ProcessFacts>()
  reads = 0

  read(pid: number): ProcessFacts | undefined {
    this.reads++
    return this.now.get(pid)
  }

  scan(): Map<number, ProcessFacts> {
    return new Map(this.now)
  }
}

const facts = (given: Partial<ProcessFacts> = {}): ProcessFacts => ({
  startTicks: 100,
  exe: '/usr/bin/cat',
  containerId: null,
  ...given
})

let batch = 0

/** The row that the table gives for an event, in a batch of its own. */
const rowOf = (table: ProcessTable, event: Partial<RawEvent>): Process => {
  const rows: Process[] = []
  const index = table.indexOf(new RawEvents(rawBuffer([rawEvent(event)])), 0, ++batch, rows)
  return rows[index] as Process
}

const raw = (event: Partial<RawEvent>): RawEvents => new RawEvents(rawBuffer([rawEvent(event)]))
const containerId = 'c'.repeat(64)

test('a process that was there at the start is known without another look', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ containerId }))
  const table = new ProcessTable(proc)
  proc.now.clear()
  const row = rowOf(table, {})
  assert.deepEqual([row.exe, row.container_id], ['/usr/bin/cat', containerId])
  rowOf(table, { comm: 'other' })
  assert.equal(proc.reads, 0)
})

test('a process first seen while it runs is looked up once', () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  proc.now.set(100, facts())
  for (let i = 0; i < 3; i++) assert.equal(rowOf(table, {}).exe, '/usr/bin/cat')
  assert.equal(proc.reads, 1)
})

test('what /proc says of a later process of the same pid is not believed', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ startTicks: 500 }))
  const table = new ProcessTable(proc)
  assert.equal(rowOf(table, {}).exe, null)
  assert.equal(rowOf(table, { startNs: 5_000_000_000n }).exe, '/usr/bin/cat')
})

test('a child has the executable and container of its parent until it executes', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ containerId }))
  const table = new ProcessTable(proc)
  rowOf(table, {})
  const child = { pid: 101, ppid: 100, startNs: 2_000_000_000n }
  table.fork(raw(child), 0)
  assert.deepEqual([rowOf(table, child).exe, rowOf(table, child).container_id], ['/usr/bin/cat', containerId])
  table.exec(raw(child), 0, '/usr/bin/ls')
  assert.deepEqual([rowOf(table, child).exe, rowOf(table, child).container_id], ['/usr/bin/ls', containerId])
  assert.equal(rowOf(table, {}).exe, '/usr/bin/cat')
  assert.equal(proc.reads, 0)
})

test('a child of a process that was never seen has what /proc says of its parent', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ containerId }))
  const table = new ProcessTable(proc)
  proc.now.clear()
  const child = { pid: 101, ppid: 100, startNs: 2_000_000_000n }
  table.fork(raw(child), 0)
  assert.deepEqual([rowOf(table, child).exe, rowOf(table, child).container_id], ['/usr/bin/cat', containerId])
})

test('an executable that the kernel could not name is looked up, and null when it is too late', () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  proc.now.set(100, facts({ exe: '/home/u/prog' }))
  table.exec(raw({}), 0, './prog')
  assert.equal(rowOf(table, {}).exe, '/home/u/prog')
  table.exec(raw({ pathTruncated: true }), 0, '/usr/bin/sshd')
  assert.equal(rowOf(table, {}).exe, '/home/u/prog')
  proc.now.clear()
  table.exec(raw({}), 0, null)
  assert.equal(rowOf(table, {}).exe, null)
})

test("a cgroup's name tells the container at fork and exec, without a look at /proc", () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  proc.now.set(100, facts())
  rowOf(table, {})
  proc.now.clear()
  proc.reads = 0
  const child = { pid: 101, ppid: 100, startNs: 2_000_000_000n, extra: `docker-${containerId}.scope` }
  table.fork(raw(child), 0)
  assert.equal(rowOf(table, child).container_id, containerId)
  assert.equal(rowOf(table, {}).container_id, null)
  table.exec(raw({ extra: containerId }), 0, '/app/server')
  assert.deepEqual([rowOf(table, {}).exe, rowOf(table, {}).container_id], ['/app/server', containerId])
  const outside = { pid: 102, ppid: 100, startNs: 3_000_000_000n }
  table.fork(raw({ ...outside, ppid: 103 }), 0)
  table.exec(raw({ extra: 'ssh.service' }), 0, '/usr/sbin/sshd')
  assert.equal(rowOf(table, {}).container_id, containerId, 'what is known is not forgotten')
  assert.equal(proc.reads, 1, 'the parent that nobody knew')
})

test('an ended process is still known for late events, but not for ever', () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  proc.now.set(100, facts())
  rowOf(table, {})
  table.exit(raw({}), 0)
  proc.now.clear()
  assert.equal(rowOf(table, {}).exe, '/usr/bin/cat')
  for (let pid = 1_000; pid < 10_000; pid++) {
    rowOf(table, { pid })
    table.exit(raw({ pid }), 0)
  }
  assert.equal(rowOf(table, {}).exe, null)
  assert.ok(table.size <= 8_194)
})

test('another name, user, parent or cgroup is another row of the same process', () => {
  const table = new ProcessTable(new FakeProc())
  const rows: Process[] = []
  const events = [{}, { comm: 'b' }, { uid: 0 }, { ppid: 2 }, { cgroupId: 78n }, {}]
  const indexes = events.map((event) => table.indexOf(raw(event), 0, 1, rows))
  assert.deepEqual(indexes, [0, 1, 2, 3, 4, 0])
})

test('a full table evicts the process used least recently', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts())
  proc.now.set(101, facts({ exe: '/usr/bin/ls' }))
  const table = new ProcessTable(proc)
  proc.now.clear()
  rowOf(table, {})
  rowOf(table, { pid: 101 })
  for (let pid = 1_000; pid < 41_000; pid++) {
    rowOf(table, { pid })
    rowOf(table, {})
  }
  assert.equal(table.size, 32_768)
  assert.equal(rowOf(table, {}).exe, '/usr/bin/cat', 'used all the time')
  assert.equal(rowOf(table, { pid: 101 }).exe, null, 'used once')
})

test('rows of a process that ended are not kept', () => {
  const table = new ProcessTable(new FakeProc())
  const rows: Process[] = []
  const indexOf = (): number => table.indexOf(raw({}), 0, ++batch, rows)
  indexOf()
  const [first] = rows
  indexOf()
  assert.equal(rows[1], first)
  table.exit(raw({}), 0)
  indexOf()
  assert.notEqual(rows[2], first)
  assert.deepEqual(rows[2], first)
})
