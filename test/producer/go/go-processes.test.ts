// Observes Go programs that are built here: each call has the function, file and line that Go's own runtime reports.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { startEdge } from '../../../producer/edge.ts'
import { type GoMarks, GoProcesses } from '../../../producer/go/go-processes.ts'
import type { Program } from '../../../producer/go/symbolizer.ts'
import { openLiveSource } from '../../../producer/source/live-source.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import type { Producer } from '../../../wire/client.ts'
import { decode } from '../../../wire/codec.ts'
import type { EventBatch, Process, Stack } from '../../../wire/types.ts'
import { quiet, skip as skipKernel } from '../../bpf/observe.ts'
import { buildGo, goMissing } from '../../support/go.ts'
import { kernelTimeoutMs } from '../../support/kernel.ts'
import { eventually } from '../../support/ringside.ts'

const folder = join(import.meta.dirname, 'programs', 'calls')
const skip = skipKernel || goMissing
const comm = 'rs-go-calls'

interface Seen {
  readonly stdout: string
  readonly batches: readonly EventBatch[]
}

/** Runs a program, which waits until it is marked, and returns its output and batches. */
const observe = async (path: string, codec: 'native' | 'avsc'): Promise<Seen> => {
  const calls = { ...quiet.calls, chdir: 'emit' } as const
  const source = await openLiveSource({ ...quiet, calls, comms: [basename(path)], goFunctions: true })
  const log = pino({ level: 'silent' })
  const marked = Promise.withResolvers<void>()
  let child: ChildProcess | undefined
  const marks = {
    markGo: (program: Program) => {
      const isMarked = source.markGo(program)
      if (isMarked && program.pid === child?.pid) marked.resolve()
      return isMarked
    },
    unmarkGo: (program: Program) => source.unmarkGo(program)
  }
  const batches: EventBatch[] = []
  const send: Producer['send'] = async (_topic, messages) => {
    for (const { value } of messages) batches.push(decode('EventBatch', value as Buffer))
  }
  const client = { producer: async () => ({ send, close: async () => {} }) }
  const config = loadConfig({ host: 'h', edge: { codec, spool: { enabled: false } } }, undefined, {})
  const edge = await startEdge({
    config,
    log,
    source,
    client,
    symbolizer: new GoProcesses({ marks, log, resolveMs: Number.POSITIVE_INFINITY })
  })
  const program = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] })
  child = program
  const stdout = text(program.stdout)
  await marked.promise
  program.stdin.end('\n')
  await once(program, 'close')
  await source.detach()
  await edge.drain()
  return { stdout: await stdout, batches }
}

/** Locations by the calls' path or port. */
const locationsOf = (batches: readonly EventBatch[]): Map<string, Stack> => {
  const locations = new Map<string, Stack>()
  for (const batch of batches) {
    for (const event of batch.events) {
      const stack = batch.stacks[event.stack]
      const port = batch.sockets[event.socket]?.remote_port
      const name = event.path ?? (event.syscall === 'connect' && event.kind === 'syscall' ? String(port) : undefined)
      if (stack !== undefined && name !== undefined) locations.set(name, stack)
    }
  }
  return locations
}

const variants: readonly (readonly [name: string, codec: 'native' | 'avsc', ...flags: string[]])[] = [
  ['plain', 'native'],
  ['stripped', 'avsc', '-ldflags=-s -w'],
  ['trimpath', 'native', '-trimpath'],
  ['pie', 'native', '-buildmode=pie']
]

describe('calls of a Go program', { skip, timeout: 4 * kernelTimeoutMs }, () => {
  for (const [name, codec, ...flags] of variants) {
    it(`have their function, file and line: ${name} program, ${codec} encoder`, async () => {
      const { stdout, batches } = await observe(buildGo(folder, comm, name, ...flags), codec)
      const expected = stdout.trim().split('\n')
      assert.equal(expected.length, 7)
      const locations = locationsOf(batches)
      const found = expected.map((line) => {
        const [call = ''] = line.split('\t')
        const location = locations.get(call)
        return [call, location?.go_function, location?.go_file, location?.go_line].join('\t')
      })
      assert.deepEqual(found, expected)
    })
  }
})

describe('a command that a Go program runs', { skip, timeout: 4 * kernelTimeoutMs }, () => {
  for (const codec of ['native', 'avsc'] as const) {
    it(`has the function that runs it until it executes its program: ${codec} encoder`, async () => {
      const path = buildGo(join(import.meta.dirname, 'programs', 'commands'), 'rs-go-commands', codec)
      const { batches } = await observe(path, codec)
      const forks = new Map<number, string | null | undefined>()
      const calls: (readonly [name: string, path: string | null, exe: string | null, goFunction: string | null])[] = []
      for (const { events, processes, stacks } of batches) {
        for (const { kind, process, syscall, call, path: argument, stack } of events) {
          const { pid, creator_pid, exe } = processes[process] as Process
          const goFunction = stacks[stack]?.go_function ?? null
          // Not the program's own fork, by this process.
          if (kind === 'fork' && forks.has(creator_pid)) forks.set(pid, goFunction)
          else if (kind === 'exec' && exe === path) forks.set(pid, undefined)
          else if (kind === 'syscall' && forks.get(pid) !== undefined) {
            calls.push([call ?? syscall, argument, exe, goFunction])
          }
        }
      }
      const [, ...children] = [...forks.values()]
      assert.ok(children.length >= 2)
      assert.ok(
        children.every((name) => name === 'main.runCommand'),
        JSON.stringify(children)
      )
      assert.deepEqual(
        calls.filter(([, , exe, goFunction]) => exe !== path || goFunction !== 'main.runCommand'),
        []
      )
      const names = calls.map(([name]) => name)
      for (const name of ['chdir', 'dup3']) assert.ok(names.includes(name), `${name} in ${names.join(' ')}`)
      assert.deepEqual(
        calls.filter(([name]) => name === 'execve').map(([, argument]) => argument),
        ['/nowhere/command', '/bin/true']
      )
    })
  }
})

/** A procfs with one process, which runs a Go program. */
class Procfs {
  readonly root = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  readonly program: Program = { pid: 4711, startNs: 20_000_000n, execId: 3 }
  readonly next: Program = { ...this.program, execId: 4 }
  readonly #folder = join(this.root, `${this.program.pid}`)
  readonly marked: Program[] = []
  readonly processes: GoProcesses

  /** @param whenMarked what the process does as soon as it is marked */
  constructor(t: TestContext, whenMarked: (procfs: Procfs) => void = () => {}) {
    t.after(() => rmSync(this.root, { recursive: true }))
    mkdirSync(this.#folder)
    const { pid } = this.program
    writeFileSync(join(this.#folder, 'stat'), `${pid} (name) R ${Array(18).fill(0).join(' ')} 2 0 0 0 4194304`)
    symlinkSync(buildGo(folder, comm, 'plain'), join(this.#folder, 'exe'))
    const marks: GoMarks = {
      markGo: (program) => {
        whenMarked(this)
        return this.marked.push(program) > 0
      },
      unmarkGo: (program) => this.marked.splice(this.marked.indexOf(program), 1)
    }
    this.processes = new GoProcesses({ marks, log: pino({ level: 'silent' }), root: this.root })
  }

  /** Waits until the process is marked for a program. */
  async examine(program: Program): Promise<void> {
    this.processes.programStarted(program)
    await eventually('the process is marked', 10, () => this.marked.includes(program) || undefined)
  }

  endProcess(): void {
    rmSync(this.#folder, { recursive: true })
  }

  execute(path: string): void {
    rmSync(join(this.#folder, 'exe'))
    symlinkSync(path, join(this.#folder, 'exe'))
  }

  isKnown(program: Program): boolean {
    return this.processes.resolve(program, [0, 0, 0]) !== undefined
  }
}

describe('the program of a process', { skip: goMissing, timeout: 60_000 }, () => {
  it('is known for the calls of a process that ended as soon as it was marked', async (t) => {
    const procfs = new Procfs(t, (self) => self.endProcess())
    await procfs.examine(procfs.program)
    assert.ok(procfs.isKnown(procfs.program))
  })

  it('is marked, and known, for one exec alone', async (t) => {
    const procfs = new Procfs(t, (self) => self.execute(process.execPath))
    await procfs.examine(procfs.program)
    assert.deepEqual(
      [procfs.program, procfs.next, { ...procfs.program, startNs: 40_000_000n }].map((one) => procfs.isKnown(one)),
      [true, false, false]
    )
  })

  it('stays known for its late calls when the process executes another', async (t) => {
    const procfs = new Procfs(t)
    await procfs.examine(procfs.program)
    await procfs.examine(procfs.next)
    assert.deepEqual(
      [procfs.program, procfs.next].map((one) => procfs.isKnown(one)),
      [true, true]
    )
  })
})
