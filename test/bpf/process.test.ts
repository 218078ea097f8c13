import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, kindsOf, observe, observeProgram, program, run, skip } from './observe.ts'

const sigkill = 9
const statusOf = (code: number) => (code & 0xff) << 8

/** Objects in use in a slab cache; undefined if the kernel does not report them. */
const slabObjects = (cache: string): number | undefined => {
  const line = readFileSync('/proc/slabinfo', 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${cache} `))
  return line === undefined ? undefined : Number(line.split(/\s+/)[1])
}

describe('processes', { skip, timeout: kernelTimeoutMs }, () => {
  it('emit an exec event with the new comm and the path of the executable', async () => {
    const path = program('flood')
    const { events, result } = await observeProgram('flood', '1')
    const [exec] = kindsOf(events, 'exec')
    assert.deepEqual(
      [exec?.path, exec?.pid, exec?.tid, exec?.ppid, exec?.comm, exec?.call, exec?.class, exec?.fd],
      [path, result.pid, result.pid, process.pid, 'rs-flood', 'none', 'process', -1]
    )
  })

  it('emit fork and exit events with their wait status, threads do not', async () => {
    const count = 20
    const { events, result } = await observeProgram('children', String(count))
    const forks = kindsOf(events, 'fork')
    const exits = kindsOf(events, 'exit')
    assert.equal(forks.length, count + 1)
    assert.ok(forks.every((event) => event.ppid === result.pid && event.pid === event.tid && event.startNs > 0))
    assert.deepEqual(
      exits.map((event) => event.pid),
      [...forks.map((event) => event.pid), result.pid]
    )
    assert.deepEqual(
      exits.map((event) => event.ret),
      [...Array.from({ length: count }, (_, index) => statusOf(index)), sigkill, 0]
    )
    forks.forEach((fork, index) => {
      const exit = exits[index]
      assert.equal(exit?.startNs, fork.startNs, 'a process has one identity')
      const lived = (exit?.timeNs ?? 0) - fork.timeNs
      assert.ok(Math.abs((exit?.durationNs ?? 0) - lived) < 1e9)
    })
  })

  it('keep their pid and start when a thread executes a program', async () => {
    const { events, result } = await observeProgram('exec', program('flood'), 'thread')
    const [exec] = kindsOf(events, 'exec').slice(-1)
    const starts = new Set(events.filter((event) => event.pid === result.pid).map((event) => event.startNs))
    assert.equal(starts.size, 1)
    assert.equal(callsOf(events, 'execve').at(-1)?.pid, exec?.pid ?? result.pid)
  })

  for (const way of ['vfork', 'clone3', 'pidns'] as const) {
    it(`are parent and child, each with its own pid, comm and program, after ${way}`, async () => {
      const next = program('flood')
      const { events, result } = await observe({ comms: ['rs-births', 'rs-flood'] }, () =>
        run(program('births'), way, next)
      )
      assert.equal(result.code, 0)
      const [child = 0, own] = result.stdout.split(' ').map(Number)
      assert.equal(own, way === 'pidns' ? 1 : child)
      const [fork] = kindsOf(events, 'fork').filter((event) => event.ppid === result.pid)
      const parent = kindsOf(events, 'exec').find((event) => event.pid === result.pid)
      assert.deepEqual(
        [fork?.pid, fork?.tid, fork?.comm, fork?.origin, fork?.originId],
        [child, child, 'rs-births', result.pid, parent?.startNs]
      )
      const [call] = callsOf(events, 'execve').filter((event) => event.pid === child)
      assert.deepEqual([call?.comm, call?.path, call?.ret], ['rs-births', next, 0])
      const [exec] = kindsOf(events, 'exec').filter((event) => event.pid === child)
      assert.deepEqual([exec?.comm, exec?.path, exec?.startNs], ['rs-flood', next, fork?.startNs])
      const [exit] = kindsOf(events, 'exit').filter((event) => event.pid === child)
      assert.deepEqual([exit?.ret, exit?.startNs, exit?.comm], [0, fork?.startNs, 'rs-flood'])
      const later = callsOf(events, 'openat').find((event) => event.path === '/nowhere/by-the-parent')
      assert.deepEqual([later?.pid, later?.comm], [result.pid, 'rs-births'])
    })
  }

  it('have the bytes of their name in every event, whatever a terminal makes of them', async () => {
    const { events, result } = await observe({}, () => run(program('births'), 'name', program('flood')))
    const name = 'a\n\u001b[31mb\u0007\ufffd\ufffd'
    const [later] = callsOf(events, 'openat').filter((event) => event.path === '/nowhere/by-the-parent')
    assert.deepEqual([later?.pid, later?.comm], [result.pid, name])
    const [fork] = kindsOf(events, 'fork').filter((event) => event.ppid === result.pid)
    assert.equal(fork?.comm, name)
  })

  it('leave no memory allocated in the kernel after their exit', async (test) => {
    const before = slabObjects('kmalloc-8k')
    if (before === undefined) return test.skip('this kernel does not list its slab objects in /proc/slabinfo')
    const count = 1000
    const { events, statistics } = await observeProgram('children', `${count}`, program('flood'))
    assert.equal(kindsOf(events, 'fork').length, count + 1)
    assert.equal(callsOf(events, 'execve').length, count)
    assert.equal(statistics.seen, events.length)
    // An exec allocates a little more than PATH_MAX bytes, which RCU frees with a delay.
    const left = () => (slabObjects('kmalloc-8k') ?? 0) - before
    // Others allocate such objects, too, so not each of them counts.
    let least = left()
    for (let tries = 0; tries < 100 && least >= count / 2; tries++) {
      await sleep(50)
      least = Math.min(least, left())
    }
    assert.ok(least < count / 2, `${least} objects of 8 KiB more than before`)
  })
})
