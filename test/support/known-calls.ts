// Programs that number their calls, an edge that observes nothing else, and the assertion that each call is in the
// topic once, or declared as lost.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Reconciliation } from '../../verify/reconciliation.ts'
import type { KafkaClient } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import type { EventBatch, EventClass } from '../../wire/types.ts'
import { withoutDuplicates } from '../consumer/support/batches.ts'
import { startEdge } from './edge.ts'
import { readAll } from './kafka.ts'
import { eventually, type Running } from './ringside.ts'

const programs = join(import.meta.dirname, '../faults/programs')
/** Shorter than TASK_COMM_LEN, so the kernel keeps it whole. */
const comm = 'numbered_calls'

export interface Made {
  readonly first: number
  /** Numbered calls. */
  readonly made: number
  /** Calls of getppid, which are counted. */
  readonly asked: number
}

/** @returns the path of the built program, or shared library */
export const build = (folder: string, name: string, flags: readonly string[] = []): string => {
  const program = join(folder, name)
  execFileSync('gcc', ['-O1', '-Wall', ...flags, '-o', program, join(programs, `${name}.c`)])
  return program
}

/** numbered_calls.c, running. */
export class NumberedCalls {
  readonly #child: ChildProcess
  readonly #ended: Promise<Made>

  constructor(t: TestContext, program: string, mode: 'steady' | 'processes' | 'bomb', count: number, perMs = 0) {
    const first = 1
    this.#child = spawn(program, [mode, first, count, perMs].map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => this.#child.kill('SIGKILL'))
    let text = ''
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    this.#ended = once(this.#child, 'close').then(() => JSON.parse(text) as Made)
  }

  /** Resolves at its end. */
  get made(): Promise<Made> {
    return this.#ended
  }

  end(): Promise<Made> {
    this.#child.kill('SIGTERM')
    return this.#ended
  }
}

/** Starts an edge that observes nothing but numbered calls, and waits until it does. */
export const startObserver = (
  t: TestContext,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = []
): Promise<Running> => startEdge(t, env, ['--comm', comm, '--process-events-per-second', '0', ...args])

/** Waits until the topic has more than `more` batches. @returns their number */
export const untilPublished = (client: KafkaClient, topic: string, more: number): Promise<number> =>
  eventually(`more than ${more} batches in ${topic}`, 60, async () => {
    const { length } = await readAll(client, topic)
    return length > more ? length : undefined
  })

export interface Published {
  readonly batches: readonly EventBatch[]
  /** How often each numbered call is in the topic, without duplicates by (host, boot, cpu, seq). */
  readonly timesOf: ReadonlyMap<number, number>
  /** Calls of getppid in summaries, without duplicates. */
  readonly asked: number
  /** Counted calls that are in no summary, by the last ledger. */
  readonly uncounted: number
  /** Declared as lost. */
  readonly dropped: (name: EventClass) => number
}

const numberOf = (address: Buffer): number => address.readUInt32BE() & 0xffffff

/** Reads the topic of one host, and asserts that its sequence numbers, events, drops and ledger agree exactly. */
export const readPublished = async (client: KafkaClient, topic: string): Promise<Published> => {
  const all = (await readAll(client, topic)).map(({ value }) => decode('EventBatch', value))
  const reconciliation = new Reconciliation()
  for (const batch of all) reconciliation.add(batch, batch.clock.wall_us / 1000)
  for (const { findings } of reconciliation.reports()) assert.deepEqual(findings, [])
  const timesOf = new Map<number, number>()
  let asked = 0
  for (const batch of withoutDuplicates(all)) {
    for (const event of batch.events) {
      if (event.syscall !== 'connect' || batch.processes[event.process]?.comm !== comm) continue
      const number = numberOf(batch.sockets[event.socket]?.remote_address as Buffer)
      timesOf.set(number, (timesOf.get(number) ?? 0) + 1)
    }
    for (const { call, count } of batch.summaries) if (call === 'getppid') asked += count
  }
  const dropped = (name: EventClass): number =>
    all.flatMap(({ drops }) => drops).reduce((sum, drop) => sum + (drop.class === name ? drop.count : 0), 0)
  const uncounted = all.flatMap(({ ledger }) => ledger ?? []).at(-1)?.uncounted ?? 0
  return { batches: all, timesOf, asked, uncounted, dropped }
}

/** Numbered calls declared as lost: all drops of class network, but for the program's one call of socket. */
export const lostCalls = ({ batches, dropped }: Published): number => {
  const sockets = batches.flatMap(({ events }) => events.filter(({ syscall }) => syscall === 'socket')).length
  return dropped('network') - (1 - sockets)
}

/**
 * Asserts that each numbered call is in the topic once, except exactly `lost` of them, and that counted calls are all
 * in summaries, except those that the ledger declares.
 */
export const assertKnown = ({ timesOf, asked, uncounted }: Published, known: readonly Made[], lost = 0): void => {
  const numbers = known.flatMap(({ first, made }) => Array.from({ length: made }, (_, i) => first + i))
  assert.deepEqual(
    [...timesOf].filter(([, times]) => times > 1),
    [],
    'no call twice'
  )
  const missing = numbers.filter((number) => !timesOf.has(number))
  assert.equal(missing.length, lost, `missing: ${missing.slice(0, 20).join(', ')} …`)
  assert.equal(timesOf.size, numbers.length - lost)
  const notAsked = known.reduce((sum, made) => sum + made.asked, 0) - asked
  assert.ok(
    notAsked >= 0 && notAsked <= uncounted,
    `${notAsked} counted calls are in no summary, ${uncounted} declared`
  )
}
