// Attackers without privileges, on a live kernel: their own events are counted instead of emitted, and declared with their
// pids; those of a victim beside them all arrive.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { nrUncounted } from '../../bpf/event.ts'
import type { LiveSource } from '../../producer/source/live-source.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { type Counts, counting, during, type Emitted, sumOf } from './counted.ts'
import { commOf, type Outcome, program, run, skip } from './observe.ts'

const [victim, attacker] = [commOf('known'), commOf('attacker')]
/** By kind of the attack: the calls of a round, as name and number. */
const attacks: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  dup3: [['dup3', process.arch === 'x64' ? 292 : 24]],
  execve: [['execve', process.arch === 'x64' ? 59 : 221]],
  ptrace: [['ptrace', process.arch === 'x64' ? 101 : 117]],
  socket: [
    ['socket', process.arch === 'x64' ? 41 : 198],
    ['close', process.arch === 'x64' ? 3 : 57]
  ],
  connect: [
    ['connect', process.arch === 'x64' ? 42 : 203],
    ['socket', process.arch === 'x64' ? 41 : 198],
    ['close', process.arch === 'x64' ? 3 : 57]
  ]
}
const bound = 2000
const secondNs = 1_000_000_000

const observed = { comms: [victim, attacker], ringBytes: 1 << 24 }

const pidsOf = ({ stdout }: Outcome): number[] => stdout.trim().split('\n').map(Number)

const countOf = (events: readonly Emitted[], kind: string, call = 'none'): number =>
  events.filter((event) => event.kind === kind && event.call === call).length

/** The most events that the bound lets through from the first to the last of these: each second begins with an event. */
const mostOf = (events: readonly Emitted[]): number => {
  const times = events.map(({ timeNs }) => timeNs)
  const spanNs = times.reduce((last, ns) => Math.max(last, ns), 0) - times.reduce((first, ns) => Math.min(first, ns))
  return bound * (Math.floor(spanNs / secondNs) + 1)
}

/** Asserts that every event of a victim's rounds was emitted, and none of any process was dropped. */
const assertVictim = (source: LiveSource, counts: Counts, rounds: number): void => {
  const { dropped } = source.statistics()
  assert.deepEqual([dropped.process, dropped.network], [0, 0])
  const mine = counts.events.filter(({ comm }) => comm === victim)
  for (const call of ['connect', 'accept4', 'sendto', 'execve']) {
    assert.equal(countOf(mine, 'syscall', call), rounds, call)
  }
  // The first of them is the victim itself.
  assert.deepEqual(
    [countOf(mine, 'fork'), countOf(mine, 'exec'), countOf(mine, 'exit')],
    [rounds, rounds + 1, rounds + 1]
  )
}

describe('the bound of a process', { skip, timeout: 2 * kernelTimeoutMs }, () => {
  for (const [kind, calls] of Object.entries(attacks)) {
    for (const [threads, processes] of [
      [1, 1],
      [8, 1],
      [1, 8]
    ] as const) {
      it(`holds for ${kind} in ${threads} threads of ${processes} processes, and no event of a victim is lost`, () =>
        counting({ ...observed, processEventsPerSecond: bound }, async (source, counts) => {
          const [rounds, made] = [100, 40_000]
          const each = made / threads / processes
          const attack = run(program('attacker'), kind, `${each}`, `${threads}`, `${processes}`)
          const [outcome] = await during([attack, run(program('known'), `${rounds}`)], counts, () => counts.flip())
          const pids = pidsOf(outcome as Outcome)
          assertVictim(source, counts, rounds)
          assert.equal(
            counts.events.filter((event) => event.kind === 'exit' && pids.includes(event.pid)).length,
            processes
          )

          for (const pid of pids) {
            const emitted = counts.events.filter((event) => event.pid === pid && event.kind === 'syscall')
            assert.ok(emitted.length <= mostOf(emitted), `${emitted.length} events of process ${pid}`)
            assert.equal(counts.of(pid, nrUncounted).uncounted, 0)
            for (const [name, nr] of calls) {
              const { count, limited } = counts.of(pid, nr)
              // Each process closes or makes some by itself: at its start and at its end.
              assert.ok(countOf(emitted, 'syscall', name) + count >= threads * each)
              if (name !== 'close') assert.equal(countOf(emitted, 'syscall', name) + limited, threads * each, name)
              assert.ok(limited > 0, `${limited} of ${count} ${name}`)
            }
            const outcomes = counts.events.filter((event) => event.pid === pid && event.kind === 'connect_outcome')
            assert.ok(outcomes.length <= countOf(emitted, 'syscall', 'connect'), `${outcomes.length} outcomes`)
          }
          assert.equal(
            source.statistics().limited,
            sumOf(pids.flatMap((pid) => calls.map(([, nr]) => counts.of(pid, nr).limited)))
          )
        }))
    }
  }

  it('is shared by the children that a process forks within a second, whose forks and exits all arrive', () =>
    counting({ ...observed, processEventsPerSecond: 100 }, async (source, counts) => {
      const [forks, callsOfChild] = [2000, 10]
      const [outcome] = await during([run(program('attacker'), 'fork', `${forks}`, '1', '1')], counts, () =>
        counts.flip()
      )
      const [parent] = pidsOf(outcome as Outcome)
      const children = counts.events.filter(({ pid, comm }) => comm === attacker && pid !== parent)
      assert.ok(countOf(children, 'fork') >= forks && countOf(children, 'exit') >= forks)
      assert.equal(source.statistics().dropped.process, 0)
      const emitted = counts.events.filter(({ call }) => call === 'dup3')
      // A second of the parent ends with its hundredth fork.
      assert.ok(emitted.length <= (mostOf(emitted) / bound) * 100 * callsOfChild, `${emitted.length} emitted`)
      assert.equal(emitted.length + (source.statistics().limited ?? 0), forks * callsOfChild)
    }))

  it('falls while a ring is more than half full, so that many processes cannot fill it', () =>
    counting({ ...observed, processEventsPerSecond: 8000 }, async (source, counts) => {
      const rounds = 10
      for (let i = 0; i < 8; i++) {
        const { code } = await run(program('attacker'), 'dup3', '20000', '1', '1')
        assert.equal(code, 0)
      }
      await run(program('known'), `${rounds}`)
      counts.take()
      assertVictim(source, counts, rounds)
      // The ring has room for fewer than three processes at their bound.
      assert.ok(countOf(counts.events, 'syscall', 'dup3') < 20_000)
    }))

  it('changes while the programs run, and 0 lifts it', () =>
    counting({ ...observed, processEventsPerSecond: 10 }, async (source, counts) => {
      const limitedOf = async (): Promise<number> => {
        const before = source.statistics().limited ?? 0
        await during([run(program('attacker'), 'dup3', '5000', '1', '1')], counts, () => counts.flip())
        return (source.statistics().limited ?? 0) - before
      }
      assert.ok((await limitedOf()) > 0)
      source.setProcessEvents(0)
      assert.equal(await limitedOf(), 0)
      source.setProcessEvents(10)
      assert.ok((await limitedOf()) > 0)
    }))
})

describe('the groups of a process', { skip: skip || process.arch !== 'x64', timeout: kernelTimeoutMs }, () => {
  it('are a share of all: calls beyond it are declared with its pid, those of others are counted', () =>
    counting(observed, async (source, counts) => {
      const processes = 40
      let victimPid = 0
      const work = async (): Promise<Outcome> => {
        const outcome = await run(program('attacker'), 'numbers', '20', '1', `${processes}`)
        const { pid, code } = await run(program('known'), '1')
        assert.equal(code, 0)
        victimPid = pid
        return outcome
      }
      // One epoch: a flip would give everybody new groups.
      const [outcome] = await during([work()], counts, () => sleep(10))
      const pids = pidsOf(outcome as Outcome)
      const uncounted = source.statistics().uncounted ?? 0
      assert.ok(uncounted > 0, 'the processes need more groups than there are')
      assert.equal(sumOf(pids.map((pid) => counts.of(pid, nrUncounted).uncounted)), uncounted)
      assert.equal(counts.of(victimPid, nrUncounted).uncounted, 0)
      const wait4 = 61
      assert.equal(counts.of(victimPid, wait4).count, 1)
      assert.equal(counts.calls + uncounted, sumOf(Object.values(source.statistics().counted ?? {})))
    }))
})
