import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { callEntry, knownCalls } from '../../bpf/event.ts'
import { callName } from '../../producer/source/call-names.ts'
import { callTable } from '../../producer/source/call-tables.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { eventually } from '../support/ringside.ts'
import { callsOf, commOf, kindsOf, observe, observeProgram, program, quiet, run, type Seen, skip } from './observe.ts'

const enoent = -2
const ebadf = -9
const efault = -14
const eperm = -1
const eacces = -13
const enosys = -38
const erestartsys = -512
const isX64 = process.arch === 'x64'
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

  it('include a read that the kernel restarts once, and one that a signal ends', async () => {
    const { events } = await observeProgram('interrupted')
    assert.deepEqual(
      callsOf(events, 'read').map(({ ret }) => ret),
      [1, erestartsys]
    )
    assert.equal(callsOf(events, 'write').length, 1)
  })

  it('are one row each, however often the kernel restarts them, under the name of the call that it resumes', async () => {
    const calls = { clock_nanosleep: 'emit', restart_syscall: 'emit' } as const
    const path = program('restarts')
    const { events, result } = await observe({ comms: [commOf('restarts')], calls }, () => run(path))
    assert.equal(result.code, 0)
    const [accept, ...others] = callsOf(events, 'accept')
    assert.ok((accept?.ret ?? -1) > 0 && accept?.socket?.remote.startsWith('127.0.0.1:'))
    assert.deepEqual(others, [])
    assert.deepEqual(
      callsOf(events, 'accept4').map(({ ret }) => ret),
      [erestartsys]
    )
    assert.deepEqual(
      callsOf(events, 'other')
        .filter(({ pid }) => pid === result.pid)
        .map(({ nr, isCompat, ret }) => [callName(nr, isCompat), ret]),
      [['clock_nanosleep', 0]]
    )
  })

  it('include those that a seccomp filter refuses, with their arguments and its answer', async () => {
    const path = program('forbidden')
    const calls = { write: 'emit', getppid: 'emit', mkdirat: 'emit', mkdir: 'emit' } as const
    const { events, result } = await observe({ comms: [commOf('forbidden')], calls }, () => run(path))
    assert.equal(result.code, 0)
    const refused = events.filter(({ kind, isEntered }) => kind === 'syscall' && !isEntered)
    assert.deepEqual(
      refused.map(({ nr, isCompat, ret, durationNs }) => [callName(nr, isCompat), ret, durationNs]).sort(),
      [
        ['connect', eperm, 0],
        ['getppid', 0, 0],
        ...(isX64 ? [['mkdir', eacces, 0]] : []),
        ['mkdirat', enosys, 0],
        ['openat', eperm, 0]
      ]
    )
    assert.deepEqual(
      callsOf(refused, 'openat').map((event) => event.path),
      ['/forbidden']
    )
    const [connect] = callsOf(refused, 'connect')
    assert.deepEqual([connect?.socket?.remote, connect?.isAddressGiven], ['203.0.113.5:80', true])
    assert.equal(callsOf(events, 'write').filter(({ isEntered }) => isEntered).length, 2)
  })

  it('are followed by the exit of a process that a seccomp filter kills, with the signal', async () => {
    const sigsys = 31
    const { events, result } = await observeProgram('forbidden', 'kill')
    assert.equal(result.code, null)
    const [exit] = kindsOf(events, 'exit')
    assert.equal((exit?.ret ?? 0) & 0x7f, sigsys)
  })

  it('that began before their mode was on are no refused ones', async (test) => {
    const path = program('echo')
    const comms = [commOf('echo')]
    const { events } = await observe({ comms, calls: { read: 'off', write: 'emit' } }, async (source) => {
      const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] })
      const inRead = `${isX64 ? 0 : 63} 0x0 `
      const waitsInRead = () =>
        eventually('a program that waits in read', 60, () =>
          readFileSync(`/proc/${child.pid}/syscall`, 'utf8').startsWith(inRead) ? true : undefined
        )
      test.after(() => child.kill('SIGKILL'))
      child.stdin.write('a')
      await once(child.stdout, 'data')
      await waitsInRead()
      source.setCalls({ ...quiet.calls, read: 'emit', write: 'emit' })
      child.stdin.write('b')
      await once(child.stdout, 'data')
      await waitsInRead()
      child.stdin.end()
      await once(child, 'exit')
    })
    assert.deepEqual(
      callsOf(events, 'read').map(({ ret, isEntered }) => [ret, isEntered]),
      [[0, true]]
    )
    assert.equal(callsOf(events, 'write').length, 2)
  })

  it('are all in the statistics', async () => {
    const { events, statistics } = await observeProgram('flood', '10000')
    assert.equal(callsOf(events, 'write').length, 10_000)
    assert.equal(statistics.seen, events.length)
    assert.equal(statistics.emitted.io, 10_000)
  })
})
