// CPU time per request of a small Go server and of its observer. The server's time includes the BPF programs, which run
// within its system calls. The edge's time includes reading its rings, encoding and publishing to a real Kafka the calls
// of the whole host, load and broker included. The broker's own time is excluded: it usually runs on another host.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { withKafka } from './kafka.ts'
import {
  compileGo,
  cpuTimeUs,
  type Load,
  runLoad,
  type Started,
  startProcess,
  startRealEdge,
  startServer
} from './processes.ts'
import { latencyScript, missingForBpftrace, missingForPerf } from './rivals.ts'
import { median, type Row } from './rounds.ts'

export const name = 'server-request'
export const summary = 'CPU time per request of a Go server and its observer, compared with bpftrace and perf trace'

const rounds = 3
const load: Load = { requests: 50_000, requestsPerConnection: 100, requestsPerSecond: 0 }
const warmUp: Load = { ...load, requests: 15_000 }

type Observer = () => Promise<Started | undefined>

/** perf says nothing when it has begun. */
const startPerfTrace = async (): Promise<Started> => {
  const perf = await startProcess(['sh', '-c', 'echo starting; exec perf trace -a -s'], (output) => output.length > 0)
  await delay(2000)
  return perf
}

const observers = (brokers: readonly string[], stateDir: string): Record<string, Observer> => {
  const all: Record<string, Observer> = {
    untraced: async () => undefined,
    ringside: () => startRealEdge(brokers, stateDir)
  }
  const lack = missingForBpftrace()
  if (lack === undefined) {
    const script = `BEGIN { printf("ready\\n"); } ${latencyScript}`
    all['bpftrace-hist'] = () => startProcess(['bpftrace', '-q', '-e', script], (output) => output.includes('ready'))
  } else {
    process.stderr.write(`${name}: ${lack}; left out: bpftrace-hist\n`)
  }
  const perfLack = missingForPerf()
  if (perfLack === undefined) all['perf-trace'] = startPerfTrace
  else process.stderr.write(`${name}: ${perfLack}; left out: perf-trace\n`)
  return all
}

/** Microseconds of CPU a request. */
interface Cost {
  readonly server: number
  readonly observer: number
}

const measure = async (programs: { server: string; load: string }, observe: Observer): Promise<Cost> => {
  const server = await startServer(programs.server)
  const observer = await observe()
  const used = (): Cost => ({
    server: cpuTimeUs(server.pid),
    observer: observer === undefined ? 0 : cpuTimeUs(observer.pid)
  })
  try {
    await runLoad(programs.load, server.address, warmUp)
    const before = used()
    await runLoad(programs.load, server.address, load)
    const after = used()
    return {
      server: (after.server - before.server) / load.requests,
      observer: (after.observer - before.observer) / load.requests
    }
  } finally {
    await observer?.stop()
    await server.stop('SIGTERM')
  }
}

async function* runOn(brokers: readonly string[], stateDir: string): AsyncGenerator<Row> {
  const programs = { server: compileGo('http-server'), load: compileGo('http-load') }
  const cases = observers(brokers, stateDir)
  const values = new Map(Object.keys(cases).map((which) => [which, [] as Cost[]]))
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`${name}: round ${round} of ${rounds}\n`)
    for (const [which, observe] of Object.entries(cases)) values.get(which)?.push(await measure(programs, observe))
  }
  const untraced = values.get('untraced') ?? []
  const row = (which: string, costs: readonly Cost[], of: (cost: Cost) => number): Row => {
    const ratio = median(costs.map((cost, index) => of(cost) / (untraced[index]?.server ?? Number.NaN)))
    const value = Number(median(costs.map(of)).toFixed(1))
    return { bench: name, case: which, value, unit: 'µs/request', against: 'untraced', ratio: Number(ratio.toFixed(3)) }
  }
  for (const [which, costs] of values) yield row(which, costs, ({ server, observer }) => server + observer)
  for (const [which, costs] of values) {
    if (which !== 'untraced') yield row(`${which}-server`, costs, ({ server }) => server)
  }
}

/**
 * Needs root. One row a case: microseconds of CPU a request, and another (`-server`) of the server's alone; the ratio is
 * the median of the rounds' ratios.
 */
export async function* run(): AsyncGenerator<Row> {
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-bench-'))
  try {
    yield* withKafka((brokers) => runOn(brokers, stateDir))
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}
