// Sources of a process's executable and container, and how long they are valid.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProcessTable } from '../../../producer/encode/process-table.ts'
import type { ProcessFacts, ProcReader } from '../../../producer/proc.ts'
import { RawEvents } from '../../../producer/source/raw-events.ts'
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

/** The row of an event, in its own batch. */
const rowOf = (table: ProcessTable, event: Partial<RawEvent>): Process => {
  const rows: Process[] = []
  const index = table.indexOf(new RawEvents(rawBuffer([rawEvent(event)])), 0, ++batch, rows)
  return rows[index] as Process
}

const raw = (event: Partial<RawEvent>): RawEvents => new RawEvents(rawBuffer([rawEvent(event)]))
const containerId = 'c'.repeat(64)

test('a process that ran before the start is known without reading /proc again', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ containerId }))
  const table = new ProcessTable(proc)
  proc.now.clear()
  const row = rowOf(table, {})
  assert.deepEqual([row.exe, row.container_id], ['/usr/bin/cat', containerId])
  rowOf(table, { comm: 'other' })
  assert.equal(proc.reads, 0)
})

test('a process first seen while it runs is read from /proc once', () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  proc.now.set(100, facts())
  for (let i = 0; i < 3; i++) assert.equal(rowOf(table, {}).exe, '/usr/bin/cat')
  assert.equal(proc.reads, 1)
})

test('facts of a later process with the same pid are not used', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ startTicks: 500 }))
  const table = new ProcessTable(proc)
  assert.equal(rowOf(table, {}).exe, null)
  assert.equal(rowOf(table, { startNs: 5_000_000_000n }).exe, '/usr/bin/cat')
})

const creator = { origin: 100, originId: 1_000_000_000n }

test('a child has the executable and container of its creator until it executes', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ containerId }))
  const table = new ProcessTable(proc)
  rowOf(table, {})
  const child = { pid: 101, ppid: 100, startNs: 2_000_000_000n, ...creator }
  table.fork(raw(child), 0)
  assert.deepEqual([rowOf(table, child).exe, rowOf(table, child).container_id], ['/usr/bin/cat', containerId])
  table.exec(raw(child), 0, '/usr/bin/ls')
  assert.deepEqual([rowOf(table, child).exe, rowOf(table, child).container_id], ['/usr/bin/ls', containerId])
  assert.equal(rowOf(table, {}).exe, '/usr/bin/cat')
  assert.equal(proc.reads, 0)
  assert.deepEqual([rowOf(table, child).creator_pid, rowOf(table, child).creator_start_us], [100, 1_000_000])
  assert.deepEqual([rowOf(table, {}).creator_pid, rowOf(table, {}).creator_start_us], [-1, -1])
})

test('a child of a process not seen yet has the facts of its creator in /proc', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts({ containerId }))
  const table = new ProcessTable(proc)
  proc.now.clear()
  const child = { pid: 101, ppid: 100, startNs: 2_000_000_000n, ...creator }
  table.fork(raw(child), 0)
  assert.deepEqual([rowOf(table, child).exe, rowOf(table, child).container_id], ['/usr/bin/cat', containerId])
})

test('a child that names another parent, as by CLONE_PARENT, has nothing of that parent', () => {
  const proc = new FakeProc()
  proc.now.set(1, facts({ startTicks: 0, exe: '/usr/sbin/sshd' }))
  const table = new ProcessTable(proc)
  proc.now.clear()
  rowOf(table, { pid: 1, startNs: 0n })
  const child = { pid: 101, ppid: 1, startNs: 2_000_000_000n, ...creator }
  table.fork(raw(child), 0)
  assert.equal(rowOf(table, child).exe, null)
})

test('a child of a later process with the pid of its creator has nothing of the earlier one', () => {
  const proc = new FakeProc()
  proc.now.set(100, facts())
  const table = new ProcessTable(proc)
  proc.now.clear()
  assert.equal(rowOf(table, {}).exe, '/usr/bin/cat')
  const child = { pid: 101, ppid: 100, startNs: 9_000_000_000n, origin: 100, originId: 8_000_000_000n }
  table.fork(raw(child), 0)
  assert.equal(rowOf(table, child).exe, null)
})

test('a path that was cut is the executable, with the mark in place of its beginning', () => {
  const table = new ProcessTable(new FakeProc())
  table.exec(raw({ pathTruncated: true }), 0, '…/usr/bin/sshd')
  assert.equal(rowOf(table, {}).exe, '…/usr/bin/sshd')
})

test('without a path the executable is read from /proc, and null when the process has ended', () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  proc.now.set(100, facts({ exe: '/home/u/prog' }))
  table.exec(raw({}), 0, null)
  assert.equal(rowOf(table, {}).exe, '/home/u/prog')
  proc.now.clear()
  table.exec(raw({}), 0, null)
  assert.equal(rowOf(table, {}).exe, null)
})

test("the container comes from the cgroup's path at fork and exec, and is never replaced", () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  proc.now.set(100, facts())
  rowOf(table, {})
  proc.now.clear()
  proc.reads = 0
  const child = { pid: 101, ppid: 100, startNs: 2_000_000_000n, ...creator }
  table.fork(raw({ ...child, extra: `/system.slice/docker-${containerId}.scope` }), 0)
  assert.equal(rowOf(table, child).container_id, containerId)
  assert.equal(rowOf(table, {}).container_id, null)
  table.exec(raw({ extra: `/docker/${containerId}` }), 0, '/app/server')
  assert.deepEqual([rowOf(table, {}).exe, rowOf(table, {}).container_id], ['/app/server', containerId])
  table.exec(raw({ extra: `/docker/${'d'.repeat(64)}` }), 0, '/usr/sbin/sshd')
  assert.equal(rowOf(table, {}).container_id, containerId, 'the container is kept')
  const grandchild = { pid: 102, ppid: 101, startNs: 3_000_000_000n, origin: 101, originId: 2_000_000_000n }
  table.fork(raw({ ...grandchild, extra: `/docker/${'d'.repeat(64)}` }), 0)
  assert.equal(rowOf(table, grandchild).container_id, containerId, "the creator's container is kept")
  assert.equal(proc.reads, 0)
})

test('a call read after a later exec has the executable that its process ran then, for a while', () => {
  const table = new ProcessTable(new FakeProc())
  for (const execId of [2, 3, 4]) table.exec(raw({ execId }), 0, `/bin/${execId}`)
  assert.deepEqual(
    [3, 4, 2, 3].map((execId) => rowOf(table, { execId }).exe),
    ['/bin/3', '/bin/4', '/bin/2', '/bin/3']
  )
  assert.equal(rowOf(table, { execId: 1 }).exe, null, 'never seen')
  const programs = [2, 3, 4, 2].map((execId) => table.programOf(raw({ execId }), 0))
  assert.equal(new Set(programs).size, 3)
  assert.deepEqual(
    programs.map(({ execId }) => execId),
    [2, 3, 4, 2]
  )
  for (let execId = 5; execId < 9_000; execId++) table.exec(raw({ execId }), 0, '/bin/many')
  assert.equal(rowOf(table, { execId: 2 }).exe, null, 'expired')
  assert.equal(rowOf(table, { execId: 8_999 }).exe, '/bin/many')
})

test('a process whose exec was not observed does not keep its earlier executable', () => {
  const proc = new FakeProc()
  const table = new ProcessTable(proc)
  table.exec(raw({ execId: 2 }), 0, '/bin/known')
  assert.equal(rowOf(table, { execId: 3 }).exe, null)
  proc.now.set(100, facts({ exe: '/bin/now' }))
  assert.equal(rowOf(table, { execId: 4 }).exe, '/bin/now')
  assert.equal(rowOf(table, { execId: 2 }).exe, '/bin/known')
  table.exec(raw({ execId: 4 }), 0, '/bin/late')
  assert.equal(rowOf(table, { execId: 4 }).exe, '/bin/late', 'its exec was read after a call')
})

test('a child has the program that its creator ran at the fork, and shares its functions', () => {
  const table = new ProcessTable(new FakeProc())
  for (const execId of [2, 3]) table.exec(raw({ execId }), 0, `/bin/${execId}`)
  const child = { pid: 101, startNs: 2_000_000_000n, execId: 2, ...creator }
  table.fork(raw(child), 0)
  assert.equal(rowOf(table, child).exe, '/bin/2')
  const program = table.programOf(raw(child), 0)
  assert.deepEqual([program.pid, program.startNs, program.execId], [100, 1_000_000_000n, 2])
  assert.equal(program, table.programOf(raw({ execId: 2 }), 0))
  table.exec(raw({ ...child, execId: 3 }), 0, '/bin/other')
  assert.equal(table.programOf(raw({ ...child, execId: 3 }), 0).pid, 101)
})

test('a late event of an earlier process with the same pid changes nothing of the later one', () => {
  const table = new ProcessTable(new FakeProc())
  const [earlier, later] = [{ execId: 2 }, { execId: 2, startNs: 9_000_000_000n }]
  table.exec(raw(earlier), 0, '/bin/earlier')
  table.exec(raw(later), 0, '/bin/later')
  assert.deepEqual(
    [earlier, later, earlier].map((event) => rowOf(table, event).exe),
    ['/bin/earlier', '/bin/later', '/bin/earlier']
  )
})

test('an ended process is known for late events, for a while', () => {
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

test('rows of an ended process are not kept', () => {
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
