// Programs that execute each other in one process: each of their calls, counted or emitted, has its own program.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, describe, it } from 'node:test'
import pino from 'pino'
import { startEdge } from '../../producer/edge.ts'
import { configurableCalls } from '../../producer/source/call-names.ts'
import { openLiveSource } from '../../producer/source/live-source.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import type { Producer } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import type { EventBatch, Process } from '../../wire/types.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { program, quiet, run, skip } from './observe.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

/** What an edge publishes while `work` runs. */
const published = async (
  codec: 'native' | 'avsc',
  comms: string[],
  work: () => Promise<void>
): Promise<EventBatch[]> => {
  const batches: EventBatch[] = []
  const send: Producer['send'] = async (_topic, messages) => {
    for (const { value } of messages) batches.push(decode('EventBatch', value as Buffer))
  }
  const client = { producer: async () => ({ send, close: async () => {} }) }
  const config = loadConfig({ host: 'h', edge: { codec, spool: { enabled: false } } }, undefined, {})
  // A second has groups for the counts of some 2,000 starts of a program: only the calls that are checked are observed.
  const off = Object.fromEntries(configurableCalls.map((name) => [name, 'off'] as const))
  const calls = { ...off, getppid: 'count', openat: 'emit', execve: 'emit' } as const
  const source = await openLiveSource({ ...quiet, calls, comms })
  const edge = await startEdge({ config, log: pino({ level: 'silent' }), source, client })
  await work()
  await source.detach()
  await edge.drain()
  return batches
}

const nameOf = ({ exe }: Process): string => basename(exe ?? 'unknown')

describe('calls of a process that executes one program after another', { skip, timeout: 2 * kernelTimeoutMs }, () => {
  for (const codec of ['native', 'avsc'] as const) {
    it(`have the program that made them: ${codec} encoder`, async () => {
      const names = ['rs-chain-a', 'rs-chain-b', 'rs-chain-c']
      const paths = names.map((name) => join(folder, name))
      for (const path of paths) copyFileSync(program('chain'), path)
      const [processes, execs] = [40, 59]
      const batches = await published(codec, names, async () => {
        const { code } = await run(paths[0] as string, String(processes), String(execs), ...paths)
        assert.equal(code, 0)
      })

      const opens = new Map(names.map((name) => [name, 0]))
      const counts = new Map(names.map((name) => [name, 0]))
      for (const { events, summaries, processes: rows } of batches) {
        const rowOf = (index: number): Process => rows[index] as Process
        for (const { path, process } of events) {
          if (!path?.startsWith('/nowhere/')) continue
          const { comm } = rowOf(process)
          assert.deepEqual([nameOf(rowOf(process)), comm], [basename(path), basename(path)])
          opens.set(comm, (opens.get(comm) ?? 0) + 1)
        }
        for (const { call, process, count } of summaries) {
          if (call !== 'getppid') continue
          const { comm } = rowOf(process)
          assert.equal(nameOf(rowOf(process)), comm)
          counts.set(comm, (counts.get(comm) ?? 0) + count)
        }
      }
      const runs = (processes * (execs + 1)) / names.length
      assert.deepEqual([...opens.values()], [runs, runs, runs])
      assert.deepEqual([...counts.values()], [runs, 2 * runs, 3 * runs])
    })
  }
})
