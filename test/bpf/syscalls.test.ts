import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { callEntry, knownCalls } from '../../bpf/event.ts'
import { callTable } from '../../producer/source/call-tables.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, observeProgram, program, type Seen, skip } from './observe.ts'

const enoent = -2
const ebadf = -9
const efault = -14
const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

const summary = (events: readonly Seen[]) => events.map(({ fd, ret, path }) => ({ fd, ret, path }))
const atCwd = -100

describe('system calls', { skip, timeout: kernelTimeoutMs }, () => {
  it('that open, read and write carry path, descriptor and result', async () => {
    const file = join(folder, 'file')
    const names = join(folder, 'names')
    writeFileSync(file, '....')
    writeFileSync(names, `${file}\0`)
    const { events, result } = await observeProgram('files', file, names)

    if (process.arch === 'x64') {
      assert.deepEqual(
        callsOf(events, 'open').map(({ fd, path }) => ({ fd, path })),
        [{ fd: -1, path: file }]
      )
    }
    const opens = callsOf(events, 'openat')
    const fd = opens[0]?.ret ?? -1
    assert.deepEqual(summary(opens), [
      { fd: atCwd, ret: fd, path: file },
      { fd: atCwd, ret: enoent, path: '/nowhere/at-all' },
      { fd: atCwd, ret: efault, path: '' },
      { fd: atCwd, ret: fd, path: names },
      { fd: atCwd, ret: opens[4]?.ret, path: file }
    ])
    assert.ok((opens[4]?.ret ?? -1) > 0, 'the path in the untouched page was opened')
    assert.deepEqual(summary(callsOf(events, 'openat2')), [{ fd: atCwd, ret: fd + 1, path: file }])
    assert.deepEqual(summary(callsOf(events, 'write')), [{ fd, ret: 4, path: '' }])
    assert.deepEqual(summary(callsOf(events, 'read')), [
      { fd, ret: 3, path: '' },
      { fd: -1, ret: ebadf, path: '' }
    ])
    assert.deepEqual(callsOf(events, 'close'), [], 'a close of a file is not emitted')

    for (const event of events) {
      assert.equal(event.pid, result.pid)
      assert.equal(event.tid, result.pid)
      assert.equal(event.ppid, process.pid)
      assert.equal(event.uid, 0)
      assert.equal(event.comm, 'rs-files')
      assert.equal(event.isCompat, false)
      if (event.kind === 'syscall')
        assert.equal(knownCalls[(callTable()[event.nr] ?? 0) & callEntry.callMask], event.call)
      assert.ok(event.startNs > 0 && event.timeNs > 0)
    }
    assert.ok(callsOf(events, 'openat').every((event) => event.durationNs > 0 && event.durationNs < 10e9))
    assert.deepEqual([...new Set(opens.map((event) => event.class))], ['file'])
    assert.deepEqual([...new Set(callsOf(events, 'read').map((event) => event.class))], ['io'])
  })

  for (const length of [200, 255, 256, 1000, 4095]) {
    it(`carry a path of ${length} bytes in full`, async () => {
      const path = `/${'x'.repeat(199)}`.repeat(21).slice(0, length)
      const { events } = await observeProgram('open', path)
      const open = callsOf(events, 'openat').at(-1)
      assert.equal(open?.path, path)
      assert.equal(open?.isTruncated, false)
      assert.equal(open?.ret, enoent)
    })
  }

  it('have the beginning of a path longer than PATH_MAX, with a mark in place of the rest', async () => {
    const path = '/x'.repeat(2100)
    const { events } = await observeProgram('open', path)
    const open = callsOf(events, 'openat').at(-1)
    assert.equal(open?.path, `${path.slice(0, 4092)}…`)
    assert.equal(open?.isTruncated, true)
  })

  it('include failed and successful execve, with the comm of the caller', async () => {
    const next = program('flood')
    const { events, result } = await observeProgram('exec', next)
    const execs = callsOf(events, 'execve').map(({ comm, ret, path, pid, fd }) => ({ comm, ret, path, pid, fd }))
    const own = { comm: 'rs-exec', pid: result.pid, fd: -1 }
    assert.deepEqual(execs, [
      { ...own, ret: enoent, path: '/nowhere/at-all' },
      { ...own, ret: 0, path: next }
    ])
  })

  it('include an execve by a thread that is not the leader', async () => {
    const next = program('flood')
    const { events, result } = await observeProgram('exec', next, 'thread')
    const [failed, done] = callsOf(events, 'execve')
    assert.equal(failed?.pid, result.pid)
    assert.notEqual(failed?.tid, result.pid)
    assert.deepEqual([done?.path, done?.ret, done?.pid, done?.tid], [next, 0, result.pid, failed?.tid])
  })

  it('include an execveat by descriptor, which returns as execve', async () => {
    const { events } = await observeProgram('exec', program('flood'), 'descriptor')
    const execs = callsOf(events, 'execveat')
    assert.equal(execs.length, 1)
    assert.equal(execs[0]?.ret, 0)
    assert.match(execs[0]?.path ?? '', /^\/dev\/fd\/\d+$/)
    assert.ok((execs[0]?.fd ?? -1) > 2)
    assert.deepEqual(callsOf(events, 'execve'), [])
  })

  it('include each return of a read that a signal interrupted', async () => {
    const { events } = await observeProgram('interrupted')
    const erestartsys = -512
    assert.deepEqual(
      callsOf(events, 'read').map(({ ret }) => ret),
      [erestartsys, 1, erestartsys]
    )
    assert.equal(callsOf(events, 'write').length, 1)
  })

  it('exclude a call that seccomp refused before its enter', async () => {
    const { events } = await observeProgram('forbidden')
    assert.equal(callsOf(events, 'write').length, 2)
    assert.deepEqual(callsOf(events, 'openat'), [])
  })

  it('are all in the statistics', async () => {
    const { events, statistics } = await observeProgram('flood', '20000')
    assert.equal(callsOf(events, 'write').length, 20_000)
    assert.equal(statistics.seen, events.length)
    assert.equal(statistics.emitted.io, 20_000)
  })
})
