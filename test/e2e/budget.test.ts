// Over its CPU budget the edge counts calls instead of emitting them, class by class, and emits them again when the host
// is quiet. No call is lost: each is an event, in a summary, or a declared drop.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { HostReport } from '../../verify/host-report.ts'
import { decode } from '../../wire/codec.ts'
import { topicName } from '../../wire/topics.ts'
import type { Step } from '../../wire/types.ts'
import { startEdge } from '../support/edge.ts'
import { createTopics, kafkaMissing, readAll, withKafka } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import '../support/quiet-machine.ts'
import { eventually, startRingside, temporaryDirectory } from '../support/ringside.ts'

const writesPerFlood = 1_000_000
const timeout = 180_000

describe('the CPU budget, on a live kernel', { skip: kernelTests.skip || (await kafkaMissing()) }, () => {
  const kafka = withKafka()

  const start = async (t: TestContext, name: string, budget: string) => {
    const directory = temporaryDirectory(t, name)
    const { config, env: topics } = await createTopics(kafka, name)
    const env = { ...topics, RINGSIDE_STATE_DIR: directory, RINGSIDE_HOST: name }
    const flood = join(directory, 'flood')
    execFileSync('gcc', ['-O1', '-o', flood, join(import.meta.dirname, '../bpf/programs/flood.c')])
    const options = ['--cpu-budget', budget, '--call', 'write=emit', '--comm', 'flood']
    const edge = await startEdge(t, env, options)
    let writes = 0
    return {
      /** Floods until the log has a matching line, at least once. */
      floodUntil: (said: RegExp) =>
        eventually(`${said} in the log`, 60, () => {
          execFileSync(flood, [String(writesPerFlood)])
          writes += writesPerFlood
          return said.test(edge.output.stderr) || undefined
        }),
      wait: (said: RegExp) => eventually(`${said} in the log`, 90, () => said.test(edge.output.stderr) || undefined),
      /** Stops the edge, asserts that every write is accounted for, and returns the steps of the ledger. */
      finish: async (): Promise<Step[]> => {
        edge.child.kill('SIGINT')
        assert.equal((await edge.finished).code, 0, edge.output.stderr)
        const { code, stdout, stderr } = await startRingside(['verify', '--format', 'json'], env).finished
        assert.equal(code, 0, stdout + stderr)
        const { dropped, classes } = JSON.parse(stdout) as HostReport
        const batches = (await readAll(kafka.client, topicName(config, 'events'))).map(({ value }) =>
          decode('EventBatch', value)
        )
        const emitted = batches.flatMap(({ events }) => events).filter(({ syscall }) => syscall === 'write').length
        const counted = batches
          .flatMap(({ summaries }) => summaries)
          .reduce((sum, { syscall, count }) => sum + (syscall === 'write' ? count : 0), 0)
        // The rest are calls for which the kernel's table of counts had no room.
        const uncounted = batches.findLast(({ ledger }) => ledger !== null)?.ledger?.uncounted ?? 0
        const elsewhere = writes - emitted - counted - dropped
        assert.ok(elsewhere >= 0 && elsewhere <= uncounted, `${elsewhere} writes, ${uncounted} calls uncounted`)
        assert.ok(classes.some((row) => row.class === 'io' && row.counted > 0))
        return batches.flatMap(({ ledger }) => ledger?.steps ?? [])
      }
    }
  }

  test('with next to no budget every class is counted in the end, security calls last', { timeout }, async (t) => {
    const { floodUntil, wait, finish } = await start(t, 'tiny', '0.01%')
    await floodUntil(/counting calls of class io /)
    await floodUntil(/counting calls of class file /)
    await wait(/over the CPU budget with every class reduced/)
    const steps = await finish()
    assert.deepEqual(
      steps.map((step) => [step.class, step.mode]),
      ['io', 'file', 'network', 'process'].map((name) => [name, 'count'])
    )
    assert.match(steps[0]?.reason ?? '', /^the edge uses .*% of a core, its budget is 0\.01%$/)
  })

  test('when it is quiet, a reduced class emits again', { timeout }, async (t) => {
    const { floodUntil, wait, finish } = await start(t, 'ample', '10%')
    await floodUntil(/counting calls of class io /)
    await wait(/emitting calls of class io as configured again/)
    await floodUntil(/./)
    const steps = await finish()
    assert.deepEqual(
      steps
        .filter((step) => step.class === 'io')
        .map(({ mode }) => mode)
        .slice(0, 2),
      ['count', 'emit']
    )
  })
})
