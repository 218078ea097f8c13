// A ring that is far too small for what happens: the loss is declared to the last event, verify finds that all agrees,
// and when a batch is taken away on the way to another topic it finds which.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { HostReport } from '../../verify/reconciliation.ts'
import { decode } from '../../wire/codec.ts'
import { kafkaMissing, readAll, withKafka } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { eventually, runRingside, startRingside, temporaryDirectory } from '../support/ringside.ts'

const writes = 2_000_000
const timeout = 180_000

describe('verify, of a live kernel', { skip: kernelTests.skip || (await kafkaMissing()) }, () => {
  const kafka = withKafka()

  test('a flood through a small ring agrees with its declared loss, and a batch that is taken away is named', {
    timeout
  }, async (t) => {
    const directory = temporaryDirectory(t, 'verify')
    const env = {
      RINGSIDE_STATE_DIR: directory,
      RINGSIDE_HOST: 'flooded',
      RINGSIDE_BROKERS: kafka.brokers.join(','),
      RINGSIDE_PIN_DIR: ''
    }
    const flood = join(directory, 'flood')
    execFileSync('gcc', ['-O1', '-o', flood, join(import.meta.dirname, '../bpf/programs/flood.c')])
    await runRingside(['topics', 'create', '--partitions', '1'], env)

    const small = ['--ring-bytes', '65536', '--call', 'write=emit', '--comm', 'flood', '--metrics-listen', '0']
    const edge = startRingside(['run', 'edge', ...small], env)
    t.after(() => edge.child.kill('SIGKILL'))
    await eventually('the edge is ready', 30, () => /"ready"/.test(edge.output.stderr) || undefined)
    execFileSync(flood, [String(writes)])

    const url = /"url":"(http:[^"]+)"/.exec(edge.output.stderr)?.[1] ?? assert.fail('no metrics')
    const metrics = await (await fetch(url)).text()
    const sample = (labels: string): number => {
      const line = metrics.split('\n').find((each) => each.startsWith(`ringside_edge_events_total{${labels}`))
      return Number(line?.split(' ').at(-1))
    }
    const emitted = sample('class="io",outcome="emitted"')
    const dropped = sample('class="io",outcome="dropped",reason="ring_full"')
    assert.equal(emitted + dropped, writes)
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

    const messages = await readAll(kafka.client, 'ringside.events')
    // Not the first of a CPU: where its numbers begin is known from what is there.
    const seenCpus = new Set<number>()
    const at = messages.findIndex(({ value }, i) => {
      const { events, sequences } = decode('EventBatch', value)
      const isLater = sequences.every(({ cpu }) => seenCpus.has(cpu))
      for (const { cpu } of sequences) seenCpus.add(cpu)
      return i > 2 && events.length > 100 && isLater
    })
    assert.ok(at > 0)
    const lost = decode('EventBatch', messages[at]?.value as Buffer)
    await runRingside(['topics', 'create', '--partitions', '1', '--topic-prefix', 'harmed.'], env)
    const producer = await kafka.client.producer()
    for (const { key, value } of messages.toSpliced(at, 1)) await producer.send('harmed.events', [{ key, value }])
    await producer.close()
    const harmed = await verify(['--topic-prefix', 'harmed.'])
    assert.equal(harmed.code, 1, harmed.stderr)
    const { findings } = JSON.parse(harmed.stdout) as HostReport
    const hole = findings.find(({ kind }) => kind === 'hole')
    assert.deepEqual(hole?.places, lost.sequences)
    assert.match(
      hole?.text ?? '',
      new RegExp(`run ${lost.run}: .*before batch ${lost.batch + 1} \\(after ${lost.batch - 1}\\)`)
    )
    assert.equal(findings.find(({ kind }) => kind === 'emitted')?.count, lost.events.length)
  })
})
