// CPU time of everything that `ringside up` runs, under a load at a fixed rate. The edge observes the whole host except
// itself and `up`'s processes. The time of the BPF programs is the load's CPU time minus that of an unobserved load.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { RingsideError } from '../runtime/errors.ts'
import { freePort } from '../test/support/free-port.ts'
import { childrenOf } from '../test/support/ringside.ts'
import { cpuTimeUs, type Started, startProcess } from './processes.ts'
import { median, type Row } from './rounds.ts'

export const name = 'whole-cost'
export const summary = 'CPU time of edge, programs, services and broker at 1k, 10k and 100k events a second'

const rounds = 3
const loadSeconds = 5
const idleMs = 5000
/** Longest wait for the services to finish the load. */
const settleMs = 20_000
const settleStepMs = 500

interface Load {
  readonly perSecond: number
  readonly kind: 'emitted' | 'counted'
}

/** Rate from which the cost per event is reported for each part: at lower rates it drowns in idle noise. */
const fewest = 100_000

/** Emitted events, and calls that the kernel counts, as reads and writes by default. */
const loads: Readonly<Record<string, Load>> = {
  '1k': { perSecond: 1000, kind: 'emitted' },
  '10k': { perSecond: 10_000, kind: 'emitted' },
  '100k': { perSecond: 100_000, kind: 'emitted' },
  '100k-counted': { perSecond: 100_000, kind: 'counted' }
}

/** Seconds of CPU time by part. */
type Used = Readonly<Record<string, number>>

/** Name of a child of `up` in the rows, from its command line. */
const partOf = (command: string): string =>
  /^\S*java /.test(command) ? 'broker' : (/ run (\w+) /.exec(`${command} `)?.[1] ?? 'other')

const readUsed = (up: Started): Used => {
  const used: Record<string, number> = { up: cpuTimeUs(up.pid) / 1e6 }
  for (const { pid, command } of childrenOf(up.pid)) {
    const part = partOf(command)
    used[part] = (used[part] ?? 0) + cpuTimeUs(pid) / 1e6
  }
  return used
}

const between = (from: Used, to: Used, of: (part: number) => number = (part) => part): Used =>
  Object.fromEntries(Object.entries(to).map(([part, value]) => [part, of(value - (from[part] ?? 0))]))

const sumOf = (used: Used): number => Object.values(used).reduce((sum, one) => sum + one, 0)

interface Made {
  readonly count: number
  /** CPU time of the load itself. */
  readonly seconds: number
}

const makeLoad = async (program: string, { perSecond, kind }: Load): Promise<Made> => {
  const child = spawn(program, [String(perSecond), String(loadSeconds), kind], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child, 'close')
  const [count = 0, ns = 0] = output.split(' ').map(Number)
  if (!(count > 0)) throw new RingsideError('SOFTWARE', `the load made nothing: "${output}"`)
  return { count, seconds: ns / 1e9 }
}

const measureIdle = async (up: Started): Promise<Used> => {
  const before = readUsed(up)
  const startMs = performance.now()
  await delay(idleMs)
  const seconds = (performance.now() - startMs) / 1000
  return between(before, readUsed(up), (used) => used / seconds)
}

/**
 * Cost of a load beyond idling, until all of it is handled, so that a service that falls behind is charged too.
 * @returns CPU seconds per event
 */
const measureLoad = async (up: Started, program: string, load: Load, idle: Used, unobserved: number): Promise<Used> => {
  const before = readUsed(up)
  const startMs = performance.now()
  const made = await makeLoad(program, load)
  const quiet = sumOf(idle) * 1.5 + 0.05
  for (let waitedMs = 0; waitedMs < settleMs; waitedMs += settleStepMs) {
    const from = readUsed(up)
    await delay(settleStepMs)
    if (sumOf(between(from, readUsed(up))) < (quiet * settleStepMs) / 1000) break
  }
  const seconds = (performance.now() - startMs) / 1000
  const used = between(before, readUsed(up))
  const beyond = Object.entries(used).map(([part, value]) => [part, (value - (idle[part] ?? 0) * seconds) / made.count])
  return { ...Object.fromEntries(beyond), programs: made.seconds / made.count - unobserved }
}

const compileLoad = (): string => {
  const built = join(import.meta.dirname, '..', 'build', 'bench', 'rs-steady-calls')
  mkdirSync(join(built, '..'), { recursive: true })
  execFileSync('gcc', ['-O2', '-Wall', join(import.meta.dirname, 'steady-calls.c'), '-o', built])
  return built
}

const startUp = async (stateDir: string): Promise<Started> => {
  const launcher = join(import.meta.dirname, '..', 'cli', 'ringside')
  const env = `RINGSIDE_STATE_DIR=${stateDir}`
  // One process makes all calls of the load.
  const unbounded = ['--process-events-per-second', '0']
  const ports = ['--kafka-port', String(await freePort()), '--panel-listen', String(await freePort())]
  const command = ['env', env, 'RINGSIDE_PIN_DIR=', launcher, 'up', '--format', 'json', ...unbounded, ...ports]
  // An idle machine emits nothing for minutes, and the start waits for the first events.
  const timer = setInterval(() => spawnSync('true'), 500)
  return startProcess(command, (output) => /first events/i.test(output)).finally(() => clearInterval(timer))
}

type Round = Readonly<Record<string, Used>>

async function* rowsOf(measured: readonly Round[], idles: readonly Used[]): AsyncGenerator<Row> {
  const parts = Object.keys(measured[0]?.['1k'] ?? {})
  const medianOf = (rows: readonly Used[]): Used =>
    Object.fromEntries(parts.map((part) => [part, median(rows.map((row) => row[part] ?? 0))]))
  const idle = medianOf(idles)
  const row = (which: string, value: number, unit: string, against: string, ratio: number): Row => {
    return {
      bench: name,
      case: which,
      value: Number(value.toPrecision(3)),
      unit,
      against,
      ratio: Number(ratio.toFixed(3))
    }
  }
  for (const part of ['all', ...parts]) {
    const value = part === 'all' ? sumOf(idle) : (idle[part] ?? 0)
    yield row(`idle ${part}`, value, 'CPU s/s', 'idle all', value / sumOf(idle))
  }
  for (const [which, { perSecond }] of Object.entries(loads)) {
    const each = medianOf(measured.map((round) => round[which] ?? {}))
    const all = sumOf(each)
    for (const part of ['all', ...parts]) {
      const [beyond, still] = part === 'all' ? [all, sumOf(idle)] : [each[part] ?? 0, idle[part] ?? 0]
      const value = beyond * perSecond + still
      yield row(`${which} ${part}`, value, 'CPU s/s', 'idle all', value / sumOf(idle))
      if (part !== 'all' && perSecond < fewest) continue
      yield row(`${which} ${part} event`, beyond * 1e6, 'µs/event', `${which} all event`, beyond / all)
    }
  }
}

/**
 * Needs root. Per load and part a row in CPU seconds per second at that rate; and (`event`) microseconds of CPU per
 * event beyond idling, for all parts together, and for each part at the highest rates.
 */
export async function* run(): AsyncGenerator<Row> {
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-bench-'))
  try {
    const program = compileLoad()
    const unobserved: Record<string, number> = {}
    for (const [which, load] of Object.entries(loads)) {
      const { count, seconds } = await makeLoad(program, load)
      unobserved[which] = seconds / count
    }
    const up = await startUp(stateDir)
    const measured: Round[] = []
    const idles: Used[] = []
    try {
      for (let round = 1; round <= rounds; round++) {
        process.stderr.write(`${name}: round ${round} of ${rounds}\n`)
        const idle = await measureIdle(up)
        idles.push(idle)
        const costs: Record<string, Used> = {}
        for (const [which, load] of Object.entries(loads)) {
          costs[which] = await measureLoad(up, program, load, idle, unobserved[which] ?? 0)
        }
        measured.push(costs)
      }
    } finally {
      await up.stop('SIGINT')
    }
    yield* rowsOf(measured, idles)
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}
