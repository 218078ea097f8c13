import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupMount } from '../support/cgroups.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, drain, kindsOf, observe, pidsAreGiven, program, quiet, run, skip, succeed } from './observe.ts'

/** Starts programs/flood.c for `count` writes; it is stopped until `finish` is called. */
const startStopped = async (count: number) => {
  const child = spawn(program('flood'), [String(count), 'stopped'], { stdio: 'ignore' })
  const pid = child.pid ?? 0
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const isStopped = () => /^State:\s*T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  while (!isStopped()) await sleep(5)
  return {
    pid,
    ended,
    finish: async () => {
      child.kill('SIGCONT')
      await ended
    }
  }
}

describe('filters', { skip, timeout: kernelTimeoutMs }, () => {
  it('pass only the processes with the given pids', async () => {
    const chosen = await startStopped(100)
    const other = await startStopped(100)
    const { events } = await observe({ pids: [chosen.pid] }, async () => {
      await chosen.finish()
      await other.finish()
    })
    assert.equal(callsOf(events, 'write').length, 100)
    assert.deepEqual([...new Set(events.map((event) => event.pid))], [chosen.pid])
  })

  it('by pid pass one process, not a later one with its pid', { skip: pidsAreGiven() }, async () => {
    const chosen = await startStopped(10)
    const { events } = await observe({ pids: [chosen.pid] }, async () => {
      process.kill(chosen.pid, 'SIGKILL')
      await chosen.ended
      await succeed(chosen.pid, program('flood'), '10')
    })
    assert.deepEqual(callsOf(events, 'write'), [])
    assert.deepEqual(
      kindsOf(events, 'exit').map((event) => event.pid),
      [chosen.pid]
    )
  })

  it('follow a thread that changes its name', async () => {
    const path = program('rename')
    const { events } = await observe({ comms: ['observed-name'] }, () => run(path))
    assert.deepEqual(
      events.map((event) => [event.call, event.comm]),
      [['listen', 'observed-name']]
    )
  })

  it('pass the processes of a cgroup and of the cgroups below it', async (test) => {
    const mount = cgroupMount('cgroup2')
    if (mount === undefined) return test.skip('cgroup v2 is not mounted')
    const outer = join(mount, `ringside-test-${process.pid}`)
    const inner = join(outer, 'inner')
    mkdirSync(inner, { recursive: true })
    try {
      const chosen = await startStopped(50)
      const other = await startStopped(50)
      writeFileSync(join(inner, 'cgroup.procs'), String(chosen.pid))
      const { events } = await observe({ cgroups: [`ringside-test-${process.pid}`] }, async () => {
        await other.finish()
        await chosen.finish()
      })
      assert.equal(callsOf(events, 'write').length, 50)
      assert.ok(events.every((event) => event.pid === chosen.pid && event.cgroupId === statSync(inner).ino))
    } finally {
      rmdirSync(inner)
      rmdirSync(outer)
    }
  })

  it('combine: a process must pass all of them', async () => {
    const chosen = await startStopped(10)
    const { events } = await observe({ pids: [chosen.pid], comms: ['another'] }, () => chosen.finish())
    assert.deepEqual(events, [])
  })

  it('can be changed while the programs run', async () => {
    const first = await startStopped(10)
    const second = await startStopped(10)
    const third = await startStopped(10)
    const { result } = await observe({ pids: [first.pid] }, async (source) => {
      await first.finish()
      const before = drain(source)
      source.setFilter({ ...quiet, pids: [second.pid] })
      await second.finish()
      const after = drain(source)
      source.setFilter({ ...quiet, comms: ['rs-flood'] })
      await third.finish()
      return [before, after, drain(source)].map((events) => [...new Set(events.map((event) => event.pid))])
    })
    assert.deepEqual(result, [[first.pid], [second.pid], [third.pid]])
  })

  it('apply to a process that an earlier filter excluded', async () => {
    const { result } = await observe({ pids: [1] }, async (source) => {
      const child = spawn('sh', ['-c', 'while read line; do echo "$line" > /dev/null; echo "$line"; done'], {
        stdio: ['pipe', 'pipe', 'ignore']
      })
      const say = async (line: string) => {
        child.stdin.write(`${line}\n`)
        await once(child.stdout, 'data')
        return drain(source)
      }
      const before = (await say('unseen')).filter((event) => event.pid === child.pid).length
      source.setFilter({ ...quiet, pids: [child.pid ?? 0] })
      const after = await say('seen')
      child.stdin.end()
      return { before, opened: callsOf(after, 'openat').map((event) => event.path) }
    })
    assert.deepEqual(result, { before: 0, opened: ['/dev/null'] })
  })

  it('of calls can be changed while the programs run', async () => {
    const first = await startStopped(10)
    const second = await startStopped(10)
    const { events } = await observe({ comms: ['rs-flood'], calls: { write: 'off' } }, async (source) => {
      await first.finish()
      source.setCalls({ write: 'emit' })
      await second.finish()
    })
    assert.deepEqual([...new Set(callsOf(events, 'write').map((event) => event.pid))], [second.pid])
  })

  it('always exclude the observing process', async () => {
    const { events } = await observe({}, async () => {
      for (let index = 0; index < 100; index++) readFileSync('/proc/self/stat')
    })
    assert.deepEqual(
      events.filter((event) => event.pid === process.pid),
      []
    )
  })

  it('exclude with ignoreFamily the parent and its other children, but not their children', async () => {
    const siblingOf = async (ignoreFamily: boolean) => {
      const script = join(import.meta.dirname, 'observe-family.ts')
      const { stdout } = await run(process.execPath, script, String(ignoreFamily))
      return JSON.parse(stdout) as { sibling: number; grandchild: number }
    }
    assert.deepEqual(await siblingOf(false), { sibling: 10, grandchild: 10 })
    assert.deepEqual(await siblingOf(true), { sibling: 0, grandchild: 10 })
  })
})
