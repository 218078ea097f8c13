import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallMode } from '../../bpf/event.ts'
import type { LiveSource } from '../../producer/source/live-source.ts'
import { indexOf } from '../../wire/log-linear.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { type Counts, counting, during, sumOf } from './counted.ts'
import { commOf, type Outcome, program, run, skip } from './observe.ts'

const isX64 = process.arch === 'x64'
const writeNumber = isX64 ? 1 : 64
const ptraceNumber = isX64 ? 101 : 117
const readNumber = isX64 ? 0 : 63
const ebadf = 9

const ofClass = (source: LiveSource, name: 'process' | 'io') => {
  const { off, counted, emitted, dropped } = source.statistics()
  return {
    ...{ off: off?.[name] ?? 0, counted: counted?.[name] ?? 0 },
    ...{ emitted: emitted?.[name] ?? 0, dropped: dropped?.[name] ?? 0 }
  }
}

/** Asserts that every counted call is in a summary or declared as uncounted. */
const assertDeclared = (source: LiveSource, counts: Counts): void => {
  const { counted, uncounted } = source.statistics()
  assert.equal(counts.calls + (uncounted ?? 0), sumOf(Object.values(counted ?? {})))
}

describe('counts', { skip, timeout: kernelTimeoutMs }, () => {
  it('include every call of a process and its outcome, over many epochs', () =>
    counting({ comms: [commOf('flood')], calls: { write: 'count' } }, async (source, counts) => {
      const calls = 300_000
      const path = program('flood')
      let flips = 0
      const processes: Outcome[] = []
      // On a busy machine an epoch may last as long as a flood.
      while (flips < 2) {
        assert.ok(processes.length < 20, `${flips} flips`)
        const floods = [run(path, `${calls}`), run(path, `${calls}`)]
        const outcomes = await during(floods, counts, async () => {
          await counts.flip()
          flips++
        })
        processes.push(...outcomes)
      }
      for (const { pid } of processes) {
        const { count, errors, bytes, errnos, latencies } = counts.of(pid, writeNumber)
        assert.deepEqual([count, errors, bytes, sumOf(latencies.values())], [calls, calls, 0, calls])
        assert.deepEqual([...errnos], [[ebadf, calls]])
      }
      assertDeclared(source, counts)
      assert.equal(source.statistics().uncounted, 0)
    }))

  it('include each return from a signal handler', () =>
    counting({ comms: [commOf('signals')] }, async (_source, counts) => {
      const [outcome] = await during([run(program('signals'), '1000')], counts, () => counts.flip())
      const { count, errors } = counts.of(outcome?.pid ?? 0, isX64 ? 15 : 139)
      assert.deepEqual([count, errors], [1000, 0])
    }))

  it('include every call and byte of a process whose threads run on all CPUs', () =>
    counting({ comms: [commOf('threads')], calls: { write: 'count' } }, async (source, counts) => {
      const [threads, writes, sizes] = [16, 20_000, 1000]
      const path = program('threads')
      const [outcome] = await during([run(path, `${threads}`, `${writes}`)], counts, () => counts.flip())
      const row = counts.of(outcome?.pid ?? 0, writeNumber)
      const calls = threads * writes
      const expected = new Map<number, number>()
      for (let bytes = 1; bytes <= sizes; bytes++) {
        expected.set(indexOf(bytes), (expected.get(indexOf(bytes)) ?? 0) + calls / sizes)
      }
      assert.deepEqual([row.count, row.errors, sumOf(row.latencies.values())], [calls, 0, calls])
      assert.equal(row.bytes, calls * ((1 + sizes) / 2))
      assert.deepEqual(new Map(row.sizes), expected)
      assertDeclared(source, counts)
      assert.equal(source.statistics().uncounted, 0)
    }))

  it('release their groups after thousands of short-lived processes', () =>
    counting({ comms: [commOf('children')] }, async (source, counts) => {
      const path = program('children')
      // Together they need more groups than there are, those of one round do not: each round must free the groups of
      // the round before.
      const [rounds, processes] = [16, 1000]
      for (let round = 0; round < rounds; round++) {
        const half = String(processes / 2)
        await during([run(path, half), run(path, half)], counts, async () => {
          await counts.flip()
          await sleep(100)
        })
      }
      assert.ok(counts.processes.size > rounds * processes, `${counts.processes.size} processes`)
      const seen = counts.summaries
      await counts.flip()
      await counts.flip()
      assert.equal(counts.summaries, seen, 'no process counts any more')
      assertDeclared(source, counts)
      assert.equal(source.statistics().uncounted, 0)
    }))

  it('without a free group are declared as uncounted', () =>
    counting({ comms: [commOf('children')] }, async (source, counts) => {
      const path = program('children')
      await during([run(path, '4000')], counts, () => sleep(10))
      const { uncounted = 0 } = source.statistics()
      assert.ok(uncounted > 0)
      assert.ok(counts.calls > 0)
      assertDeclared(source, counts)
      const [outcome] = await during([run(path, '1')], counts, () => counts.flip())
      assert.ok(counts.pids.has(outcome?.pid ?? 0), 'after their release there are free groups')
      assert.equal(source.statistics().uncounted, uncounted)
    }))

  it('and events together include every call while modes change', () =>
    counting({ comms: [commOf('flood')], ringBytes: 1 << 26 }, async (source, counts) => {
      const calls = 300_000
      const modes: CallMode[] = ['emit', 'count']
      let [changes, made, emitted, counted] = [0, 0, 0, 0]
      // On a busy machine a flood may end before a mode has changed.
      for (let floods = 0; emitted === 0 || counted === 0; floods++) {
        assert.ok(floods < 20, `${emitted} emitted, ${counted} counted, ${changes} changes`)
        const [outcome] = await during([run(program('flood'), `${calls}`)], counts, async () => {
          source.setCalls({ write: modes[changes++ % 2] as CallMode })
          counts.take()
          await sleep(5)
        })
        const { pid } = outcome as Outcome
        made += calls
        emitted += counts.events.filter((event) => event.pid === pid && event.nr === writeNumber).length
        counted += counts.of(pid, writeNumber).count
      }
      assert.equal(emitted + counted, made)
    }))

  it('with off, emitted and dropped calls add up to all calls', () =>
    counting({ securityRingBytes: 1 << 26, calls: { ptrace: 'count' } }, async (source, counts) => {
      const calls = 300_000
      const modes: CallMode[] = ['off', 'emit', 'count']
      const pids = new Set<number>()
      let changes = 0
      // An exec in progress while the programs were attached counts as off when it returns: before this one does.
      await during([run(program('trace'), '0')], counts, () => counts.flip())
      const { off: before } = ofClass(source, 'process')
      const hasAll = (): boolean => {
        const { off, counted } = ofClass(source, 'process')
        return off > before && counted > 0 && counts.events.some(({ pid, nr }) => pids.has(pid) && nr === ptraceNumber)
      }
      // On a busy machine a program may end before every mode was in effect.
      while (!hasAll()) {
        assert.ok(pids.size < 20, `${changes} changes`)
        const [outcome] = await during([run(program('trace'), `${calls}`)], counts, async () => {
          source.setCalls({ ptrace: modes[changes++ % 3] as CallMode })
          counts.take()
          await sleep(5)
        })
        pids.add(outcome?.pid ?? 0)
      }
      const { off, dropped } = ofClass(source, 'process')
      const emitted = counts.events.filter(({ pid, nr }) => pids.has(pid) && nr === ptraceNumber).length
      const counted = sumOf([...pids].map((pid) => counts.of(pid, ptraceNumber).count))
      assert.equal(dropped, 0, 'otherwise the dropped calls are unknown')
      assert.equal(
        off - before + counted + emitted,
        calls * pids.size,
        `${off} off, ${counted} counted, ${emitted} emitted`
      )
    }))

  it('have filtered calls as off', () =>
    counting({ comms: ['nobody'], calls: { ptrace: 'count' } }, async (source, counts) => {
      const calls = 10_000
      await during([run(program('trace'), `${calls}`)], counts, () => counts.flip())
      const { off, counted, emitted, dropped } = ofClass(source, 'process')
      assert.ok(off >= calls, `${off} off`)
      assert.deepEqual([counted, emitted, dropped, counts.calls], [0, 0, 0, 0])
    }))

  it('exclude a call that entered while its mode was off', async () => {
    // Writes are off: a write would replace the saved state of the read.
    const [count, off] = [{ read: 'count', write: 'off' } as const, { read: 'off', write: 'off' } as const]
    const child = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] })
    const pid = child.pid as number
    const isReading = async () => {
      while (!readFileSync(`/proc/${pid}/syscall`, 'utf8').startsWith(`${readNumber} 0x0 `)) await sleep(5)
    }
    /** Ends the current read. */
    const feed = async () => {
      child.stdin.write('.')
      await once(child.stdout, 'data')
      await isReading()
    }
    await isReading()
    await counting({ pids: [pid], calls: count }, async (source, counts) => {
      await feed()
      source.setCalls(off)
      await feed()
      source.setCalls(count)
      await feed()
      await counts.flip()
      assert.equal(counts.of(pid, readNumber).count, 0)
      await feed()
      await counts.flip()
      assert.equal(counts.of(pid, readNumber).count, 1)
    }).finally(() => child.kill())
  })
})
