// Percentiles of merged rollups, compared with a reference: BPF programs that share no code with Ringside measure the
// same calls of a Go server under load.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { Sketch } from '../../wire/sketch.ts'
import type { Bucket } from '../../wire/types.ts'
import { buildGoFile, goMissing } from '../support/go.ts'
import { localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import '../support/quiet-machine.ts'
import { commandsMissing, compileBpf, compileLoader } from '../support/programs.ts'
import { eventually, latestRevisions, startUp, tailRows, temporaryDirectory } from '../support/ringside.ts'

const programs = join(import.meta.dirname, 'programs')
const seconds = 5
const quantiles = [0.5, 0.95, 0.99] as const
/** Largest relative error of a percentile. */
const tolerance = 0.03
/** A call that is interrupted between the two clocks has another rank in the reference: a few in thousands. */
const rankTolerance = 0.002

/** The reference's figures for one call. */
interface Measured {
  readonly count: number
  readonly totalNs: number
  /** Average time from one program of a tracepoint to the next: the distance of the two clocks, at each end of a call. */
  readonly gapNs: number
  /** Ascending, at most 0.2% wide. */
  readonly buckets: readonly { readonly topNs: number; readonly count: number }[]
}

/** Parses a line of the reference: name of the call, count, two sums of nanoseconds, buckets. */
const parseMeasured = (line: string): readonly [string, Measured] => {
  const [name = '', count, totalNs, gapNs, ...texts] = line.split(' ')
  const buckets = texts.map((text) => {
    const [topNs = 0, inIt = 0] = text.split(':').map(Number)
    return { topNs, count: inIt }
  })
  return [name, { count: Number(count), totalNs: Number(totalNs), gapNs: Number(gapNs) / Number(count), buckets }]
}

/** Nearest rank. */
const quantileOf = ({ count, buckets }: Measured, q: number): number => {
  const rank = Math.max(1, Math.ceil(Math.min(q, 1) * count))
  let seen = 0
  for (const bucket of buckets) {
    seen += bucket.count
    if (seen >= rank) return bucket.topNs
  }
  return 0
}

/** Starts the reference: `begin` starts the command, whose calls are all measured; `end` stops it and returns the figures. */
const startReference = async (t: TestContext, directory: string, command: string) => {
  const source = join(programs, 'latency_reference')
  const [object, loader] = [join(directory, 'latency_reference.bpf.o'), join(directory, 'latency_reference')]
  compileBpf(join(source, 'latency_reference.bpf.c'), object)
  compileLoader(join(source, 'latency_reference.c'), loader)
  const child = spawn(loader, [object, command], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the reference ended')
    return value
  }
  assert.equal(await next(), 'attached')
  return {
    begin: async () => {
      child.stdin.write('\n')
      return (await next()).split(' ') as [string, string]
    },
    end: async () => {
      child.stdin.write('\n')
      const measured = new Map<string, Measured>()
      for (let call = 0; call < 4; call++) measured.set(...parseMeasured(await next()))
      return measured
    }
  }
}

/** Sums and distribution by call, from the latest revisions of one process's rows. */
const merged = (rows: readonly Record<string, unknown>[]) => {
  const calls = new Map<string, { count: number; totalNs: number; sketch: Sketch }>()
  for (const row of latestRevisions(rows)) {
    const name = String(row['syscall'])
    const call = calls.get(name) ?? { count: 0, totalNs: 0, sketch: new Sketch() }
    call.count += Number(row['count'])
    call.totalNs += Number(row['total_ns'])
    call.sketch.addBuckets(row['latency'] as Bucket[])
    calls.set(name, call)
  }
  return calls
}

const load = async (address: string): Promise<void> => {
  const args = ['-t1', '-c8', `-d${seconds}s`, '-s', join(programs, 'post.lua'), `http://${address}`]
  const wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  wrk.stdout.resume()
  assert.deepEqual(await once(wrk, 'close'), [0, null])
}

test('percentiles of a Go server under wrk are those of a reference in the kernel', {
  skip: kernelTests.skip || (await localKafkaMissing()) || goMissing || commandsMissing('wrk', 'gcc'),
  timeout: 300_000
}, async (t) => {
  const directory = temporaryDirectory(t, 'accuracy')
  const server = join(directory, 'relay_server')
  buildGoFile(join(programs, 'relay_server.go'), server)

  const reference = await startReference(t, directory, server)
  const env = { RINGSIDE_STATE_DIR: join(directory, 'state') }
  const up = await startUp(t, env)
  const [pid, address] = await reference.begin()
  await load(address)
  const measured = await reference.end()

  const where = `pid == ${pid} && by == "process" && window_ms == 1000 && syscall in ["accept4", "connect", "read", "write"]`
  const total = [...measured.values()].reduce((sum, { count }) => sum + count, 0)
  let found = merged([])
  await eventually(`rollups of ${total} calls`, 60, async () => {
    found = merged(await tailRows('rollups', ['--since', '10m', '--where', where], env))
    return [...found.values()].reduce((sum, { count }) => sum + count, 0) >= total || undefined
  })

  for (const [name, expected] of measured) {
    const ours = found.get(name)
    assert.ok(ours !== undefined && expected.count > 100, `${expected.count} ${name}`)
    assert.equal(ours.count, expected.count, name)
    // Ringside's clocks enclose those of the reference.
    assert.ok(ours.totalNs > expected.totalNs, `${name}: ${ours.totalNs} and ${expected.totalNs} ns in all`)
    for (const [i, value] of ours.sketch.quantiles(quantiles).entries()) {
      const q = quantiles[i] as number
      const at = (rank: number): number => quantileOf(expected, rank) + 2 * expected.gapNs
      const error = value / at(q) - 1
      const text = `${name} p${100 * q}: ${value} ns, the reference ${Math.round(at(q))} (${(100 * error).toFixed(2)}%)`
      t.diagnostic(text)
      const isWithin =
        value >= at(q - rankTolerance) * (1 - tolerance) && value <= at(q + rankTolerance) * (1 + tolerance)
      assert.ok(isWithin, `${text}, ${expected.count} calls, ${expected.gapNs} ns between programs`)
    }
  }
  up.child.kill('SIGINT')
  await up.finished
})
