// Observes Go programs that are built here: each call has the function, file and line that Go's own runtime reports.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { startEdge } from '../../../producer/edge.ts'
import { type GoMarks, GoProcesses } from '../../../producer/go/go-processes.ts'
import { openLiveSource } from '../../../producer/source/live-source.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import type { Producer } from '../../../wire/client.ts'
import { decode } from '../../../wire/codec.ts'
import type { EventBatch, Stack } from '../../../wire/types.ts'
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
  const source = await openLiveSource({ ...quiet, comms: [comm], goFunctions: true })
  const log = pino({ level: 'silent' })
  const marked = Promise.withResolvers<void>()
  let child: ChildProcess | undefined
  const marks = {
    markGo: (pid: number, startNs: bigint) => {
      const isMarked = source.markGo(pid, startNs)
      if (isMarked && pid === child?.pid) marked.resolve()
      return isMarked
    },
    unmarkGo: (pid: number) => source.unmarkGo(pid)
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

/** A procfs with one process, which runs a Go program. */
class Procfs {
  readonly root = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  readonly pid = 4711
  readonly startNs = 20_000_000n
  readonly #folder = join(this.root, `${this.pid}`)

  constructor(t: TestContext) {
    t.after(() => rmSync(this.root, { recursive: true }))
    mkdirSync(this.#folder)
    writeFileSync(join(this.#folder, 'stat'), `${this.pid} (name) R ${Array(18).fill(0).join(' ')} 2 0 0 0 4194304`)
    symlinkSync(buildGo(folder, comm, 'plain'), join(this.#folder, 'exe'))
  }

  /** What the process does is done when it is marked, between the two looks at its program. */
  async examine(whenMarked: () => void): Promise<GoProcesses> {
    const calls: string[] = []
    const marks: GoMarks = {
      markGo: () => {
        whenMarked()
        return calls.push('mark') > 0
      },
      unmarkGo: () => calls.push('unmark')
    }
    const processes = new GoProcesses({ marks, log: pino({ level: 'silent' }), root: this.root })
    processes.programStarted(this.pid, this.startNs, process.hrtime.bigint())
    await eventually('the process is examined', 10, () => calls[0])
    return processes
  }

  endProcess(): void {
    rmSync(this.#folder, { recursive: true })
  }

  execute(path: string): void {
    rmSync(join(this.#folder, 'exe'))
    symlinkSync(path, join(this.#folder, 'exe'))
  }

  isKnown(processes: GoProcesses): boolean {
    return processes.resolve(this.pid, this.startNs, [0, 0, 0]) !== undefined
  }
}

describe('the program of a process', { skip: goMissing, timeout: 60_000 }, () => {
  it('is known for the calls of a process that ended as soon as it was marked', async (t) => {
    const procfs = new Procfs(t)
    const before = process.hrtime.bigint()
    const processes = await procfs.examine(() => procfs.endProcess())
    processes.programStarted(procfs.pid, procfs.startNs, before)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.ok(procfs.isKnown(processes))
  })

  it('is unknown if the ended process may have executed another before it was marked', async (t) => {
    const procfs = new Procfs(t)
    const processes = await procfs.examine(() => procfs.endProcess())
    processes.programStarted(procfs.pid, procfs.startNs, process.hrtime.bigint())
    await eventually('the second look', 10, () => !procfs.isKnown(processes) || undefined)
  })

  it('is unknown once a process executed another before it was marked', async (t) => {
    const procfs = new Procfs(t)
    const processes = await procfs.examine(() => procfs.execute(process.execPath))
    await eventually('the second look', 10, () => !procfs.isKnown(processes) || undefined)
  })
})
