// `ringside up` with a recording instead of the live kernel: needs Java, but no privileges.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createRecorder } from '../../producer/source/recorder.ts'
import { FakeKernel } from '../support/fake-kernel.ts'
import { freePort } from '../support/free-port.ts'
import { localKafkaMissing } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { childrenOf, eventually, type Running, startRingside, temporaryDirectory } from '../support/ringside.ts'

const events = 5000
const timeout = 240_000

const record = async (path: string): Promise<void> => {
  const kernel = new FakeKernel()
  const recorder = createRecorder(kernel, path, testLog)
  const buffer = new Uint8Array(1 << 16)
  for (let i = 0; i < events; i++) {
    kernel.emit({ timeNs: process.hrtime.bigint() })
    if (i % 100 === 0) recorder.read(buffer)
  }
  await recorder.detach()
  while (recorder.read(buffer) > 0);
  recorder.close()
}

interface Prepared {
  readonly recording: string
  readonly env: Record<string, string>
}

const prepare = async (t: TestContext): Promise<Prepared> => {
  const directory = temporaryDirectory(t, 'up')
  const recording = join(directory, 'demo.rec')
  await record(recording)
  return { recording, env: { RINGSIDE_STATE_DIR: join(directory, 'state'), RINGSIDE_BROKERS: '' } }
}

const startUp = async (t: TestContext, ...more: string[]): Promise<Running & { env: Record<string, string> }> =>
  startUpOn(t, await prepare(t), ...more)

const startUpOn = async (
  t: TestContext,
  { recording, env }: Prepared,
  ...more: string[]
): Promise<Running & { env: Record<string, string> }> => {
  const port = String(await freePort())
  const args = ['up', '--source', recording, '--kafka-port', port, '--panel-listen', '0', '--format', 'json', ...more]
  const up = startRingside(args, env)
  // In order: a Kafka that is left behind would write into a deleted folder.
  t.after(async () => {
    up.child.kill('SIGTERM')
    await up.finished
  })
  return { ...up, env }
}

const printed = (up: Running, pattern: RegExp): Promise<true> =>
  eventually(`${pattern}`, 120, () => {
    if (up.child.exitCode !== null) throw new Error(`up ended:\n${up.output.stderr}`)
    return pattern.test(up.output.stderr) || undefined
  })

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('ringside up', { skip: await localKafkaMissing() }, () => {
  test('a recording goes through every service, and its counts agree', { timeout }, async (t) => {
    // The panel's port is in use: only the panel fails.
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    t.after(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const up = await startUp(t, '--for', '3s', '--panel-listen', String(port))
    const { code, stdout, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout) as Record<string, unknown>
    assert.equal(summary['agrees'], true, stdout)
    assert.deepEqual([summary['seen'], summary['published'], summary['dropped']], [events, events, 0])
    assert.deepEqual(summary['read'], { rollups: events, alerts: events, audit: events })
    for (const line of [/Kafka ready on 127\.0\.0\.1:\d+ in/, /first events after/, /edge: end of input/]) {
      assert.match(stderr, line)
    }
    assert.match(stderr, new RegExp(`panel: .*cannot listen on 127.0.0.1:${port} .*choose another panel.listen`))
    assert.match(stderr, /panel failed .* and is not restarted/)
  })

  test('events that an edge left in the spool are published by the next up, and its counts agree', {
    timeout
  }, async (t) => {
    const prepared = await prepare(t)
    const unused = `127.0.0.1:${await freePort()}`
    const edge = startRingside(['run', 'edge', '--source', prepared.recording, '--brokers', unused], prepared.env)
    await printed(edge, /cannot publish/)
    edge.child.kill('SIGTERM')
    const left = await edge.finished
    assert.equal(left.code, 0, left.stderr)
    assert.match(left.stderr, new RegExp(`Kafka is away: ${events} events stay in the spool`))

    const up = await startUpOn(t, prepared, '--for', '3s')
    const { code, stdout, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout) as Record<string, unknown>
    assert.equal(summary['agrees'], true, stdout)
    assert.deepEqual(
      [summary['seen'], summary['published'], summary['published_earlier'], summary['spooled']],
      [events, events, events, 0]
    )
    assert.deepEqual(summary['read'], { rollups: 2 * events, alerts: 2 * events, audit: 2 * events })
  })

  test('a killed service is restarted, a second up is refused, and SIGTERM stops everything in order', {
    timeout
  }, async (t) => {
    const up = await startUp(t)
    await printed(up, /running: .*rollups, alerts, audit/)
    const second = await startRingside(['up'], up.env).finished
    assert.equal(second.code, 69)
    assert.match(second.stderr, new RegExp(`another .*pid ${up.child.pid}`))

    const audit = (): number | undefined =>
      childrenOf(up.child.pid as number).find(({ command }) => command.includes('run audit'))?.pid
    const [, panel] = /panel: (http:\/\/127\.0\.0\.1:\d+\/)/.exec(up.output.stderr) ?? []
    assert.equal((await fetch(`${panel}api/session`)).status, 200)
    const killed = audit() as number
    process.kill(killed, 'SIGKILL')
    await eventually('another audit service', 60, () => {
      const pid = audit()
      return pid !== undefined && pid !== killed ? pid : undefined
    })

    up.child.kill('SIGTERM')
    const { code, stdout, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout) as { restarts: Record<string, number>; seen: number; published: number }
    assert.equal(summary.restarts['audit'], 1)
    assert.equal(summary.seen, summary.published)
  })

  test('the services of a killed up stop', { timeout }, async (t) => {
    const up = await startUp(t)
    await printed(up, /running: .*rollups, alerts, audit/)
    const children = childrenOf(up.child.pid as number)
    const kafka = children.find(({ command }) => command.includes('kafka.Kafka'))
    t.after(() => kafka !== undefined && isAlive(kafka.pid) && process.kill(kafka.pid, 'SIGKILL'))
    up.child.kill('SIGKILL')
    await up.finished
    await eventually('the end of its services', 60, () => {
      const left = children.filter(({ command, pid }) => command.includes(' run ') && isAlive(pid))
      return left.length === 0 || undefined
    })
  })
})
