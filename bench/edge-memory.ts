// Memory of an edge without its rings: resident set minus its mapped BPF maps. A real edge in its default configuration
// publishes to a real Kafka, idle and then under a steady load.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { withKafka } from './kafka.ts'
import { compileGo, runLoad, type Started, startProcess, startRealEdge, startServer } from './processes.ts'
import { median, type Row } from './rounds.ts'

export const name = 'edge-memory'
export const summary = 'resident memory of an edge without its rings, idle and under a steady load'

const sampleEveryMs = 500
const idleMs = 10_000
/** Each request has a connection of its own, so that all of its calls but reads and writes are events. */
const requestsPerSecond = 1_500
const loadSeconds = 90
/** Of the samples under load these first ones are left out: tables and heap still grow. */
const warmUpMs = 30_000

/** Megabytes (10^6 bytes) of the process's resident set, without what it has mapped of BPF's maps. */
const residentMb = (pid: number): number => {
  let [kilobytes, isMap] = [0, false]
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isMap = line.includes('bpf-map') || line.includes('bpf_ringbuf')
    else if (!isMap && line.startsWith('Rss:')) kilobytes += Number.parseInt(line.slice(4), 10)
  }
  return (kilobytes * 1024) / 1e6
}

const sampleUntil = async (pid: number, end: Promise<unknown>): Promise<number[]> => {
  const samples: number[] = []
  let isOver = false
  const over = end.finally(() => {
    isOver = true
  })
  while (!isOver) {
    samples.push(residentMb(pid))
    await Promise.race([delay(sampleEveryMs), over])
  }
  await over
  return samples
}

async function* runOn(brokers: readonly string[], stateDir: string): AsyncGenerator<Row> {
  const programs = { server: compileGo('http-server'), load: compileGo('http-load') }
  const running: Started[] = []
  try {
    const bare = await startProcess([process.execPath, '-e', "console.log('up'); setInterval(() => {}, 1e6)"], (text) =>
      text.includes('up')
    )
    running.push(bare)
    const edge = await startRealEdge(brokers, stateDir)
    running.push(edge)
    const server = await startServer(programs.server)
    running.push(server)
    const idle = await sampleUntil(edge.pid, delay(idleMs))
    const load = { requests: requestsPerSecond * loadSeconds, requestsPerConnection: 1, requestsPerSecond }
    const loaded = await sampleUntil(edge.pid, runLoad(programs.load, server.address, load))
    const steady = loaded.slice(warmUpMs / sampleEveryMs)
    const node = residentMb(bare.pid)
    const measured = { node, idle: median(idle), loaded: median(steady), 'loaded-most': Math.max(...loaded) }
    for (const [which, value] of Object.entries(measured)) {
      const ratio = Number((value / node).toFixed(2))
      yield { bench: name, case: which, value: Number(value.toFixed(1)), unit: 'MB', against: 'node', ratio }
    }
  } finally {
    for (const process of running.toReversed()) await process.stop('SIGTERM')
  }
}

/** Needs root. Megabytes beside the rings; `node`, the reference, is a Node that only waits. */
export async function* run(): AsyncGenerator<Row> {
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-bench-'))
  try {
    yield* withKafka((brokers) => runOn(brokers, stateDir))
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}
