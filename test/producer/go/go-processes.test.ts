// Observes Go programs that are built here: each call has the function, file and line that Go's own runtime reports.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import pino from 'pino'
import { startEdge } from '../../../producer/edge.ts'
import { GoProcesses } from '../../../producer/go/go-processes.ts'
import { openLiveSource } from '../../../producer/source/live-source.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import type { Producer } from '../../../wire/client.ts'
import { decode } from '../../../wire/codec.ts'
import type { EventBatch, Stack } from '../../../wire/types.ts'
import { quiet, skip as skipKernel } from '../../bpf/observe.ts'
import { buildGo, goMissing } from '../../support/go.ts'
import { kernelTimeoutMs } from '../../support/kernel.ts'

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
