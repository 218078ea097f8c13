// Floods through a ring that is far too small: the edge declares each lost event, and `verify` agrees. Without one of the
// batches it names the missing batch.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { HostReport } from '../../verify/host-report.ts'
import { decode } from '../../wire/codec.ts'
import { topicName } from '../../wire/topics.ts'
import type { EventBatch } from '../../wire/types.ts'
import { startEdge } from '../support/edge.ts'
import { createTopics, kafkaMissing, readAll, withKafka } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { eventually, startRingside, temporaryDirectory } from '../support/ringside.ts'

const floods = 5
const writesPerFlood = 400_000
const timeout = 180_000

const firstAllowedCpu = (): string =>
  /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'

/**
 * The largest batch whose CPUs all have sequence numbers in batches before and after it: where a CPU's numbers begin and
 * end is known from these alone.
 */
const largestInside = (batches: readonly EventBatch[]): EventBatch | undefined => {
  const cpusOf = (some: readonly EventBatch[]) =>
    new Set(some.flatMap(({ sequences }) => sequences.map(({ cpu }) => cpu)))
  return batches
    .filter(({ sequences }, i) => {
      const [before, after] = [cpusOf(batches.slice(0, i)), cpusOf(batches.slice(i + 1))]
      return sequences.every(({ cpu }) => before.has(cpu) && after.has(cpu))
    })
    .toSorted((a, b) => b.events.length - a.events.length)[0]
}

describe('verify, of a live kernel', { skip: kernelTests.skip || (await kafkaMissing()) }, () => {
  const kafka = withKafka()

  test('a flood through a small ring agrees with its declared loss, and a missing batch is named', {
    timeout
  }, async (t) => {
    const directory = temporaryDirectory(t, 'verify')
    const { config, env: topics } = await createTopics(kafka, 'verify')
    const env = { ...topics, RINGSIDE_STATE_DIR: directory, RINGSIDE_HOST: 'flooded' }
    const flood = join(directory, 'flood')
    execFileSync('gcc', ['-O1', '-o', flood, join(import.meta.dirname, '../bpf/programs/flood.c')])

    const unbounded = ['--process-events-per-second', '0']
    const small = [
      '--ring-bytes',
      '65536',
      '--call',
      'write=emit',
      '--comm',
      'flood',
      '--metrics-listen',
      '0',
      ...unbounded
    ]
    const edge = await startEdge(t, env, small)
    const url = /"url":"(http:[^"]+)"/.exec(edge.output.stderr)?.[1] ?? assert.fail('no metrics')
    const countWrites = async () => {
      const metrics = await (await fetch(url)).text()
      const sample = (labels: string): number => {
        const line = metrics.split('\n').find((each) => each.startsWith(`ringside_edge_events_total{${labels}`))
        return Number(line?.split(' ').at(-1))
      }
      return {
        emitted: sample('class="io",outcome="emitted"'),
        dropped: sample('class="io",outcome="dropped",reason="ring_full"')
      }
    }
    const readTopic = () => readAll(kafka.client, topicName(config, 'events'))

    // On one CPU, and each in batches of its own: so there is a batch between others of the same CPU.
    for (let i = 0; i < floods; i++) {
      execFileSync('taskset', ['--cpu-list', firstAllowedCpu(), flood, String(writesPerFlood)])
      const { emitted } = await countWrites()
      await eventually('every emitted write in the topic', 30, async () => {
        const batches = (await readTopic()).map(({ value }) => decode('EventBatch', value))
        const published = batches.flatMap(({ events }) => events.filter(({ syscall }) => syscall === 'write'))
        return published.length === emitted || undefined
      })
    }
    const { emitted, dropped } = await countWrites()
    assert.equal(emitted + dropped, floods * writesPerFlood)
    assert.ok(dropped > 0)

    edge.child.kill('SIGINT')
    assert.equal((await edge.finished).code, 0, edge.output.stderr)

    const verify = (more: readonly string[]) => startRingside(['verify', '--format', 'json', ...more], env).finished
    const whole = await verify([])
    assert.equal(whole.code, 0, `${whole.stdout}${whole.stderr}`)
    const report = JSON.parse(whole.stdout) as HostReport
    const io = report.classes.find((row) => row.class === 'io')
    assert.deepEqual([io?.emitted, io?.dropped, io?.events], [emitted, dropped, emitted])
    assert.deepEqual([report.partial, report.unfinished], [0, []])
    assert.equal(report.accounted, report.events + report.summaries + report.dropped)

    const messages = await readTopic()
    const missing = largestInside(messages.map(({ value }) => decode('EventBatch', value))) ?? assert.fail('no batch')
    const { config: harmedConfig } = await createTopics(kafka, 'harmed')
    const producer = await kafka.client.producer()
    for (const { key, value } of messages) {
      if (decode('EventBatch', value).batch !== missing.batch)
        await producer.send(topicName(harmedConfig, 'events'), [{ key, value }])
    }
    await producer.close()
    const harmed = await verify(['--topic-prefix', harmedConfig.topicPrefix])
    assert.equal(harmed.code, 1, harmed.stderr)
    const { findings } = JSON.parse(harmed.stdout) as HostReport
    const holes = findings.filter(({ kind }) => kind === 'hole')
    assert.deepEqual(
      holes.flatMap(({ places }) => places),
      missing.sequences
    )
    for (const { text } of holes) {
      const [, before, after] = /before batch (\d+) \(after (\d+)\)/.exec(text) ?? []
      assert.ok(text.includes(`run ${missing.run}:`))
      assert.ok(Number(after) < missing.batch && missing.batch < Number(before), text)
    }
    const fewer = findings.filter(({ kind }) => kind === 'emitted').reduce((sum, { count }) => sum + (count ?? 0), 0)
    assert.equal(fewer, missing.events.length)
  })
})
