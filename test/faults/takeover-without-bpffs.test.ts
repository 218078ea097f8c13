// The first start on a machine without a bpffs: the edge mounts one, and after a kill -9 the next edge takes over. Each
// test has its own mount namespace, without a bpffs at /sys/fs/bpf and with an empty /run.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { topicName } from '../../wire/topics.ts'
import { kill, stop, untilReady } from '../support/edge.ts'
import { createTopics, kafkaMissing, withKafka } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { assertKnown, build, NumberedCalls, readPublished } from '../support/known-calls.ts'
import { childrenOf, eventually, type Running, startCommand, temporaryDirectory } from '../support/ringside.ts'

const launcher = join(import.meta.dirname, '../../cli/ringside')
const endless = 0xffffff

/** @returns the id of a process in a new mount namespace, which ends with the test */
const mountNamespace = async (t: TestContext, ...setUp: readonly string[]): Promise<number> => {
  const script = ['set -e', 'umount /sys/fs/bpf 2>/dev/null || true', ...setUp, 'echo ready', 'exec sleep 600']
  const holder = spawn('unshare', ['--mount', 'sh', '-c', script.join('\n')], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => holder.kill('SIGKILL'))
  const [text] = await once(holder.stdout, 'data')
  assert.equal(String(text), 'ready\n')
  return holder.pid as number
}

describe('on a machine without a bpffs', { skip: (await kafkaMissing()) || kernelTests.skip, timeout: 120_000 }, () => {
  const kafka = withKafka()

  /** Topics for one test, and the command line in its namespace. */
  const setUp = async (t: TestContext, namespace: number, folder: string) => {
    const { config, env: topics } = await createTopics(kafka, 'bpffs')
    const env = {
      ...topics,
      RINGSIDE_STATE_DIR: join(folder, 'state'),
      RINGSIDE_PIN_DIR: '/sys/fs/bpf/ringside'
    }
    const run = (...args: readonly string[]): Running => {
      const running = startCommand('nsenter', ['--mount', `--target=${namespace}`, launcher, ...args], env)
      t.after(() => running.child.kill('SIGKILL'))
      return running
    }
    const startEdge = (): Promise<Running> => untilReady(run('run', 'edge', '--comm', 'numbered_calls'))
    const published = () => readPublished(kafka.client, topicName(config, 'events'))
    return { run, startEdge, published }
  }

  for (const { name, mounts, bpffs } of [
    { name: 'an edge mounts one below /run', mounts: [], bpffs: () => '/run/ringside/bpf' },
    {
      name: 'an edge mounts one in its state folder where /run is read-only',
      mounts: ['mount -o remount,ro /run'],
      bpffs: (folder: string) => join(folder, 'state/bpf')
    }
  ]) {
    test(`${name}, and the next edge takes over from it`, async (t) => {
      const folder = temporaryDirectory(t, 'bpffs')
      const namespace = await mountNamespace(t, 'mount -t tmpfs tmpfs /run', ...mounts)
      const { run, startEdge, published } = await setUp(t, namespace, folder)
      const doctor = run('doctor', '--format', 'json')
      const mountAt = bpffs(folder)
      const pins = JSON.parse(/.*"name":"pins".*/.exec((await doctor.finished).stdout)?.[0] ?? '{}')
      assert.equal(pins.status, 'ok')
      assert.equal(
        pins.detail,
        `/sys/fs/bpf is no bpffs: the edge mounts one at ${mountAt} and pins in ${mountAt}/ringside`
      )

      const first = await startEdge()
      assert.match(first.output.stderr, new RegExp(`/sys/fs/bpf is no bpffs, mounted one at ${mountAt}`))
      const calls = new NumberedCalls(t, build(folder, 'numbered_calls'), 'steady', endless, 2)
      await eventually('its first batch', 30, async () => (await published()).batches.length > 1 || undefined)
      await kill(first)
      const second = await startEdge()
      assert.match(second.output.stderr, /taking over from run /)
      const made = await calls.end()
      await stop(second)
      const found = await published()
      assertKnown(found, [made])
      assert.equal(new Set(found.batches.map((batch) => batch.run)).size, 2)
    })
  }

  test('an edge that `up` starts again takes over from the killed one', async (t) => {
    const folder = temporaryDirectory(t, 'bpffs')
    const namespace = await mountNamespace(t, 'mount -t tmpfs tmpfs /run')
    const { run } = await setUp(t, namespace, folder)
    const up = run('up', '--panel-listen', '')
    await eventually('everything to run', 60, () => /running: edge/.test(up.output.stderr) || undefined)
    const edge = childrenOf(up.child.pid as number).find(({ command }) => / run edge /.test(command))
    process.kill(edge?.pid as number, 'SIGKILL')
    const log = join(folder, 'state', 'logs', 'edge.log')
    const hasTakenOver = () => /taking over from run /.test(readFileSync(log, 'utf8'))
    await eventually('an edge that took over', 60, () => hasTakenOver() || undefined)
    await stop(up)
  })
})
