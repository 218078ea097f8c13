// `up` while its consumers and its Kafka are killed with -9: each connect of a steady program is published and counted once.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { childrenOf, eventually, latestRevisions, startUp, tailRows, temporaryDirectory } from '../support/ringside.ts'

const connects = 3000
const intervalUs = 10_000

const kill = (parent: number, what: RegExp): void => {
  const child = childrenOf(parent).find(({ command }) => what.test(command))
  assert.ok(child !== undefined, `no child of ${parent} matches ${what}`)
  process.kill(child.pid, 'SIGKILL')
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('no event is missing after kill -9 of each consumer and of Kafka', {
  skip: kernelTests.skip || (await localKafkaMissing()),
  timeout: 300_000
}, async (t) => {
  const directory = temporaryDirectory(t, 'faults')
  const env = { RINGSIDE_STATE_DIR: join(directory, 'state') }
  execFileSync('gcc', ['-O1', '-o', join(directory, 'steady'), join(import.meta.dirname, 'programs/steady_connects.c')])

  const up = await startUp(t, env)
  const upPid = up.child.pid as number

  const steady = spawn(join(directory, 'steady'), [String(connects), String(intervalUs)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const steadyEnded = once(steady, 'exit')
  const pid = Number((await once(steady.stdout, 'data'))[0])

  for (const service of ['audit', 'rollups', 'alerts', 'audit']) {
    await pause(2000)
    kill(upPid, new RegExp(`run ${service}`))
  }
  await pause(2000)
  kill(upPid, /kafka\.Kafka/)
  await steadyEnded

  const mine = ['--since', '10m', '--where', `pid == ${pid} && syscall == "connect"`]
  const unique = (rows: Record<string, unknown>[]): number =>
    new Set(rows.filter((row) => row['kind'] === 'syscall').map((row) => `${row['cpu']} ${row['seq']}`)).size

  await t.test('the audit topic has every connect', async () => {
    await eventually(`${connects} connects in the audit log`, 90, async () => {
      const rows = await tailRows('audit', mine, env).catch(() => [])
      return unique(rows) === connects || undefined
    })
  })

  await t.test('the rollups count every connect once', async () => {
    await eventually(`${connects} connects in rollups`, 60, async () => {
      const rows = latestRevisions(await tailRows('rollups', mine, env).catch(() => []))
      const total = rows.reduce((sum, { count }) => sum + Number(count), 0)
      return total === connects || undefined
    })
  })

  await t.test('the run ends in order and its summary has no drop', async () => {
    up.child.kill('SIGINT')
    const { code, stdout, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout) as Record<string, unknown>
    assert.equal(summary['dropped'], 0, JSON.stringify(summary))
    assert.equal(summary['seen'], summary['published'])
  })
})
