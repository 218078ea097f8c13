// CPU time that observing adds to a system call, in the calling thread: a loop of getppid, untraced, under Ringside and
// under its rivals. getppid takes write's entry in the table of calls, so the programs treat it as a write to a file.
// The cases take turns, so that a slow spell of the machine affects all of them. Nothing else may trace system calls
// meanwhile: the untraced loop would pay for it too.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { knownCall } from '../bpf/event.ts'
import { Ring } from '../native/ring/ring.ts'
import type { RingFilter } from '../native/ring/ring-options.ts'
import { callTable, modeTable } from '../producer/source/call-tables.ts'
import { RingsideError } from '../runtime/errors.ts'
import { isInstalled } from './processes.ts'
import { enter, exit, latencyScript, missingForBpftrace, missingForPerf } from './rivals.ts'
import { median, type Row } from './rounds.ts'

export const name = 'traced-call'
export const summary = 'CPU time that observing adds to a system call, compared with bpftrace, perf trace and strace'

const rounds = 7
const calls = 500_000
/** strace stops the caller twice a call: two orders of magnitude slower. */
const callsUnderStrace = 20_000
const callsUnderPerf = 100_000
const comm = 'rs-traced-call'
const processRingBytes = 8 << 20
const securityRingBytes = 16 << 20
/** Room for all the events of a run: nothing is released. */
const ringBytes = 128 << 20
const drainEveryMs = 10
/** As enum ringside_mode has them. */
const modes = ['off', 'emit', 'count'] as const
/** Its number by architecture, as process.arch names it. */
const getppid: Readonly<Record<string, number>> = { x64: 110, arm64: 173 }

const compile = (): string => {
  const built = join(import.meta.dirname, '..', 'build', 'bench', comm)
  mkdirSync(join(built, '..'), { recursive: true })
  execFileSync('gcc', ['-O2', '-static', join(import.meta.dirname, 'traced-call.c'), '-o', built])
  return built
}

/** @returns nanoseconds a call */
const measure = async (command: readonly string[], count: number): Promise<number> => {
  const [program = '', ...args] = command
  const child = spawn(program, [...args, String(count)], { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  await once(child, 'close')
  const value = Number(output)
  if (!(value > 0)) throw new RingsideError('SOFTWARE', `${command.join(' ')} measured nothing: "${output}"`)
  return value
}

/** One run of a case, from its set-up to its end, in nanoseconds a call. */
type Run = (loop: string) => Promise<number>

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)

/** @param expected calls of the loop that must be emitted or counted, or the figure is invalid */
const underRingside =
  (only: Partial<RingFilter>, mode: (typeof modes)[number], expected: number): Run =>
  async (loop) => {
    const callOf = callTable()
    const number = getppid[process.arch] as number
    callOf[number] = knownCall.write
    const modeOf = mode === 'off' ? new Uint8Array(callOf.length) : modeTable({})
    modeOf[number] = modes.indexOf(mode)
    const filter = { pids: [], comms: [], cgroups: [], ...only }
    const ring = await Ring.open({
      processRingBytes,
      securityRingBytes,
      ringBytes,
      callOf,
      modeOf,
      // A bound that no run reaches.
      processEvents: 2 ** 31 - 1,
      filter,
      ignoreFamily: false
    })
    const batch = new Uint8Array(4 << 20)
    const timer = setInterval(() => {
      while (ring.read(batch) > batch.length / 2);
    }, drainEveryMs)
    try {
      const value = await measure([loop], calls)
      const rows = ring.statistics().cpus
      const seen = sum(rows.flatMap((row) => (mode === 'emit' ? row.emitted : row.counted)))
      const lost = sum(rows.flatMap((row) => (mode === 'emit' ? row.dropped : [row.uncounted])))
      if (lost > 0 || seen < expected) {
        throw new RingsideError('SOFTWARE', `${seen} of ${expected} calls, ${lost} lost: the figure is not one`)
      }
      return value
    } finally {
      clearInterval(timer)
      ring.close()
    }
  }

const underBpftrace =
  (probes: string): Run =>
  async (loop) => {
    const script = `BEGIN { printf("ready\\n"); } ${probes}`
    const tracer = spawn('bpftrace', ['-q', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const closed = once(tracer, 'close')
    let complaint = ''
    tracer.stderr.on('data', (text: Buffer) => {
      complaint += text.toString()
    })
    await Promise.race([
      once(tracer.stdout, 'data'),
      closed.then(() => {
        throw new RingsideError('OS', `bpftrace ended before it was attached: ${complaint}`)
      })
    ])
    // what it prints is read and thrown away
    tracer.stdout.resume()
    try {
      return await measure([loop], calls)
    } finally {
      // it overlooks a signal that comes between two of its waits
      const interrupt = setInterval(() => tracer.kill('SIGINT'), 100)
      await closed
      clearInterval(interrupt)
    }
  }

const ringsideCases: Record<string, Run> = {
  untraced: (loop) => measure([loop], calls),
  // all calls: the programs look up the mode of each and return
  off: underRingside({}, 'off', 0),
  emit: underRingside({ comms: [comm] }, 'emit', calls),
  count: underRingside({ comms: [comm] }, 'count', calls),
  filtered: underRingside({ pids: [1] }, 'emit', 0)
}

/** Each with what it lacks here, if it lacks something. */
const rivals: { lacks: () => string | undefined; cases: Record<string, Run> }[] = [
  {
    lacks: missingForBpftrace,
    cases: {
      'bpftrace-count': underBpftrace(`${enter} { @calls = count(); }`),
      'bpftrace-hist': underBpftrace(latencyScript),
      // of the loop alone, a condition that costs it a little: else it would print what it does to print
      'bpftrace-printf': underBpftrace(
        `${exit} /comm == "${comm}"/ { printf("%d %d %d\\n", pid, args->id, args->ret); }`
      )
    }
  },
  {
    lacks: missingForPerf,
    cases: { 'perf-trace': (loop) => measure(['perf', 'trace', '-s', '-o', '/dev/null', loop], callsUnderPerf) }
  },
  {
    lacks: () => (isInstalled('strace') ? undefined : 'strace is not installed'),
    cases: { 'strace-c': (loop) => measure(['strace', '-c', '-o', '/dev/null', loop], callsUnderStrace) }
  }
]

const casesOfThisMachine = (): Record<string, Run> => {
  const cases = { ...ringsideCases }
  for (const rival of rivals) {
    const lack = rival.lacks()
    if (lack === undefined) Object.assign(cases, rival.cases)
    else process.stderr.write(`traced-call: ${lack}; left out: ${Object.keys(rival.cases).join(', ')}\n`)
  }
  return cases
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

/**
 * Needs root. One row a case: nanoseconds of CPU a call, against `untraced`; the ratio is the median of the
 * rounds' ratios.
 */
export async function* run(): AsyncIterable<Row> {
  const loop = compile()
  const cases = casesOfThisMachine()
  const values = new Map(Object.keys(cases).map((name) => [name, [] as number[]]))
  for (let done = 0; done < rounds; done++) {
    process.stderr.write(`traced-call: round ${done + 1} of ${rounds}\n`)
    for (const [name, runCase] of Object.entries(cases)) values.get(name)?.push(await runCase(loop))
  }
  const untraced = values.get('untraced') ?? []
  for (const [name, measured] of values) {
    const ratio = median(measured.map((value, index) => value / (untraced[index] ?? Number.NaN)))
    const value = round(median(measured), 1)
    yield { bench: 'traced-call', case: name, value, unit: 'ns/call', against: 'untraced', ratio: round(ratio, 2) }
  }
}
