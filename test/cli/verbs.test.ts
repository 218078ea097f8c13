// The verbs, run as commands, against a real Kafka.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { encode } from '../../wire/codec.ts'
import { middleOf } from '../../wire/log-linear.ts'
import { kafkaMissing, uniqueName, withKafka } from '../support/kafka.ts'
import { samples } from '../support/records.ts'
import { runRingside, startRingside, tailRows, temporaryDirectory } from '../support/ringside.ts'

const launcher = join(import.meta.dirname, '../../cli/ringside')
const timeout = 60_000

const finish = (args: readonly string[], env: Record<string, string> = {}) => startRingside(args, env).finished

describe('without Kafka', () => {
  const env = { RINGSIDE_STATE_DIR: '/nonexistent', RINGSIDE_BROKERS: '' }

  test('help goes to stdout and lists every verb', { timeout }, async () => {
    const { code, stdout } = await finish(['--help'])
    assert.equal(code, 0)
    for (const verb of ['up', 'run', 'tail', 'top', 'verify', 'doctor', 'topics']) {
      assert.match(stdout, new RegExp(`^  ${verb} `, 'm'))
      assert.match((await finish([verb, '--help'])).stdout, /Examples?:\n +.*ringside/)
    }
  })

  for (const [args, why] of [
    [['upp'], /unknown command 'upp'/],
    [['up', '--nope'], /unknown option '--nope'/],
    [['up', '--for', 'soon'], /--for.*"soon" is not a duration/],
    [['up', '--kafka-port', '9092x'], /--kafka-port.*not a whole number/],
    [['tail', 'evnts'], /events, rollups, hosts, alerts, audit/],
    [['tail', 'events', '--where', 'foo == 1'], /Unknown variable: foo.*Fields: time, host/],
    [['run', 'rolups'], /"rolups" is neither a service \(edge, rollups/],
    [['run', 'audit', '--record', 'x'], /only the edge has the options --record/],
    [['run', 'audit', '--batch-ms', '100'], /only the edge has the options --batch-ms/],
    [['run', 'audit', '--panel-listen', '0'], /only the panel has the option --panel-listen/],
    [['run', './audit.ts'], /a handler named audit would join the consumer group of that service/]
  ] as const) {
    test(`ringside ${args.join(' ')}: one clear line and exit code 64`, { timeout }, async () => {
      const { code, stdout, stderr } = await finish(args, env)
      assert.equal(code, 64, stderr)
      assert.equal(stdout, '')
      assert.match(stderr, why)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    })
  }

  test('every problem of a configuration is reported at once, with exit code 78', { timeout }, async () => {
    const { code, stderr } = await finish(['up', '--brokers', 'x', '--batch-ms', '1'], env)
    assert.equal(code, 78)
    assert.match(stderr, /brokers\.0: must be host:port[\s\S]*edge\.batchMs/)
  })

  test('without a Kafka the error says how to get one, with exit code 69', { timeout }, async () => {
    const { code, stderr } = await finish(['tail', 'events'], env)
    assert.equal(code, 69)
    assert.match(stderr, /ringside up.*--brokers/)
  })

  test('the launcher works through a link, from any folder', { timeout }, async (t) => {
    const link = join(temporaryDirectory(t, 'link'), 'ringside')
    await once(spawn('ln', ['-s', launcher, link]), 'close')
    const child = spawn(link, ['--version'], { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] })
    let version = ''
    child.stdout.on('data', (text) => (version += text))
    assert.deepEqual(await once(child, 'close'), [0, null])
    assert.match(version, /^\d+\.\d+\.\d+\n$/)
  })
})

describe('with Kafka', { skip: await kafkaMissing() }, () => {
  const kafka = withKafka()
  const prefix = `${uniqueName('verbs')}.`
  const env: Record<string, string> = { RINGSIDE_TOPIC_PREFIX: prefix }
  const rows = (topic: string, ...more: string[]) => tailRows(topic, ['--since', '1h', ...more], env)

  before(async () => {
    env['RINGSIDE_BROKERS'] = kafka.brokers.join(',')
    await runRingside(['topics', 'create', '--partitions', '1'], env)
    const producer = await kafka.client.producer()
    await producer.send(`${prefix}events`, [
      { key: 'web-1', value: encode('EventBatch', samples.EventBatch) },
      { key: 'web-1', value: Buffer.from('not a batch') }
    ])
    await producer.send(`${prefix}rollups`, [{ key: 'k', value: encode('Rollup', samples.Rollup) }])
    await producer.send(`${prefix}alerts`, [{ key: 'k', value: encode('Alert', samples.Alert) }])
    await producer.send(`${prefix}audit`, [{ key: 'k', value: encode('AuditRecord', samples.AuditRecord) }])
    await producer.close()
  })

  test('topics are created once and described', { timeout }, async () => {
    assert.doesNotMatch(await runRingside(['topics', 'create', '--format', 'json'], env), /"created":true/)
    const lines = (await runRingside(['topics', 'describe', '--format', 'json'], env)).trim().split('\n')
    const events = lines.map((line) => JSON.parse(line)).find(({ name }) => name === `${prefix}events`)
    assert.deepEqual(events, {
      name: `${prefix}events`,
      exists: true,
      partitions: 1,
      replicas: 1,
      minInsyncReplicas: 1,
      messages: 2
    })
    const missing = await runRingside(['topics', 'describe', '--topic-prefix', 'none.', '--format', 'table'], env)
    assert.match(missing, /none\.events +missing/)
  })

  test('tail prints every event of a batch with all its fields, and skips unreadable messages', {
    timeout
  }, async () => {
    const found = await rows('events')
    assert.equal(found.length, samples.EventBatch.events.length)
    assert.deepEqual(
      [found[0]?.['syscall'], found[0]?.['errno'], found[0]?.['remote_port'], found[0]?.['path']],
      ['connect', 'ECONNREFUSED', 443, null]
    )
    const { stderr } = await finish(['tail', 'events', '--since', '1h'], env)
    assert.match(stderr, /offset \d+ is skipped: cannot decode EventBatch/)
  })

  test('tail --host prints the rows of one host only', { timeout }, async () => {
    const own = { ...env, RINGSIDE_TOPIC_PREFIX: `${uniqueName('hosts')}.` }
    await runRingside(['topics', 'create', '--partitions', '4'], own)
    const producer = await kafka.client.producer()
    const hosts = Array.from({ length: 12 }, (_, i) => `host-${i}`)
    for (const host of hosts) {
      const batch = { ...samples.EventBatch, host, run: host }
      await producer.send(`${own.RINGSIDE_TOPIC_PREFIX}events`, [{ key: host, value: encode('EventBatch', batch) }])
      const rollup = { ...samples.Rollup, host }
      await producer.send(`${own.RINGSIDE_TOPIC_PREFIX}rollups`, [{ key: host, value: encode('Rollup', rollup) }])
    }
    await producer.close()
    for (const topic of ['events', 'rollups']) {
      const found = await tailRows(topic, ['--since', '1h', '--host', 'host-7'], own)
      assert.deepEqual([...new Set(found.map((row) => row['host']))], ['host-7'])
      assert.equal(found.length, topic === 'events' ? samples.EventBatch.events.length : 1)
    }
  })

  test('tail reads each topic', { timeout }, async () => {
    assert.equal((await rows('rollups'))[0]?.['syscall'], samples.Rollup.syscall)
    assert.equal((await rows('alerts'))[0]?.['id'], samples.Alert.id)
    assert.equal((await rows('audit'))[0]?.['seq'], samples.AuditRecord.seq)
  })

  test('--where and --max select rows', { timeout }, async () => {
    assert.equal((await rows('events', '--where', 'pid == 100 && syscall == "connect"')).length, 1)
    assert.equal((await rows('events', '--where', 'pid == 101')).length, 0)
    assert.equal((await rows('events', '--max', '2')).length, 2)
  })

  test('--max is the limit for all partitions together', { timeout }, async () => {
    const many = { ...env, RINGSIDE_TOPIC_PREFIX: `${uniqueName('many')}.` }
    await runRingside(['topics', 'create', '--partitions', '8'], many)
    const producer = await kafka.client.producer()
    const messages = Array.from({ length: 80 }, (_, i) => ({ key: `k${i}`, value: encode('Rollup', samples.Rollup) }))
    await producer.send(`${many.RINGSIDE_TOPIC_PREFIX}rollups`, messages)
    await producer.close()
    const found = await tailRows('rollups', ['--since', '1h', '--max', '3'], many)
    assert.equal(found.length, 3)
  })

  test('a table has a header and one line for each row', { timeout }, async () => {
    const [header, first] = (await runRingside(['tail', 'events', '--since', '1h', '--format', 'table'], env)).split(
      '\n'
    )
    assert.match(header ?? '', /^time \(UTC\) +host +pid +comm/)
    assert.match(first ?? '', /web-1 .*curl .*connect +ECONNREFUSED .*tcp 10\.0\.0\.5:40000 → 203\.0\.113\.7:443/)
  })

  test('--follow continues until an interrupt, which is no failure', { timeout }, async () => {
    const following = startRingside(['tail', 'rollups', '--since', '1h', '--follow', '--format', 'json'], env)
    await once(following.child.stdout as NodeJS.ReadableStream, 'data')
    following.child.kill('SIGINT')
    const { code, stderr } = await following.finished
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
  })

  test('a closed pipe ends tail without an error', { timeout }, async () => {
    const child = spawn(launcher, ['tail', 'rollups', '--since', '1h', '--follow', '--format', 'json'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    // Only a write detects the closed pipe: more rollups make tail write.
    const producer = await kafka.client.producer()
    const timer = setInterval(() => {
      void producer.send(`${prefix}rollups`, [{ key: 'x', value: encode('Rollup', samples.Rollup) }])
    }, 300)
    let stderr = ''
    child.stderr.on('data', (text) => (stderr += text))
    const [code] = await once(child, 'exit')
    clearInterval(timer)
    await producer.close()
    assert.equal(code, 0)
    assert.equal(stderr, '')
  })

  test('top --once shows the newest windows', { timeout }, async () => {
    const [line] = (await runRingside(['top', '--once', '--by', 'call', '--format', 'json'], env)).split('\n')
    const row = JSON.parse(line ?? '') as Record<string, unknown>
    assert.equal(row['syscall'], samples.Rollup.syscall)
    assert.equal(row['calls_per_second'], samples.Rollup.count)
    assert.equal(row['p99_ns'], middleOf(samples.Rollup.latency[0]?.index ?? 0))
    assert.equal(row['time_share'], 1)
    const table = (...more: string[]) =>
      runRingside(['top', '--once', '--format', 'table', '--by', 'call', ...more], env)
    assert.match(await table(), /calls\/s +failed\/s/)
    assert.match(await table('--host', 'web-1', '--workload', '/usr/bin/curl', '--where', 'failed > 0'), /\n.*read/)
    for (const filter of [
      ['--host', 'web-2'],
      ['--workload', '/usr/bin/wget'],
      ['--where', 'failed > 99']
    ]) {
      assert.doesNotMatch(await table(...filter), /read/)
    }
  })

  test('verify exits with 0 when everything agrees, unreadable messages aside, and with 1 and the findings when not', {
    timeout
  }, async () => {
    const topicPrefix = `${uniqueName('verify')}.`
    const own = { ...env, RINGSIDE_TOPIC_PREFIX: topicPrefix }
    await runRingside(['topics', 'create', '--partitions', '2'], own)
    const producer = await kafka.client.producer()
    const events = samples.EventBatch.events.slice(0, 1)
    const whole = { ...samples.EventBatch, batch: 1, continues: null, events, final: true }
    const send = (host: string, last: number): Promise<void> => {
      const batch = { ...whole, host, run: host, drops: [], summaries: [], ledger: null }
      const value = encode('EventBatch', { ...batch, sequences: [{ cpu: 0, first: 1001, last }] })
      return producer.send(`${topicPrefix}events`, [{ key: host, value }])
    }
    await send('whole', 1001)
    await producer.send(`${topicPrefix}events`, [{ key: 'whole', value: Buffer.from('not a batch') }])
    const agreeing = await finish(['verify', '--host', 'whole', '--format', 'table'], own)
    assert.equal(agreeing.code, 0, agreeing.stderr)
    assert.match(agreeing.stdout, /^whole .* agrees\n/m)
    assert.match(agreeing.stdout, /^whole .* not judged\n/m)
    assert.match(
      agreeing.stdout,
      /^whole: unreadable: not judged.*: offset 1 of partition \d: cannot decode EventBatch/m
    )
    await send('holed', 1002)
    await producer.close()
    const all = await finish(['verify', '--format', 'json'], own)
    assert.equal(all.code, 1, all.stderr)
    const reports = all.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      reports.map(({ host, agrees }) => [host, agrees]).sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['holed', false],
        ['whole', true],
        ['whole', null]
      ]
    )
    const none = await finish(['verify', '--host', 'nobody'], own)
    assert.equal(none.code, 66)
    assert.match(none.stderr, new RegExp(`nothing to verify: ${topicPrefix}events has no batch of host nobody`))
  })

  test('tail, top and verify report a record batch that cannot be read, and read on behind it', {
    timeout
  }, async () => {
    const own = { ...env, RINGSIDE_TOPIC_PREFIX: `${uniqueName('bomb')}.` }
    await runRingside(['topics', 'create', '--partitions', '1'], own)
    const producer = await kafka.client.producer()
    const batch = samples.EventBatch
    const later = { ...batch, batch: batch.batch + 1 }
    // Not first: a broker that looks for a time reads whole records into its memory.
    for (const [topic, before, after] of [
      ['events', encode('EventBatch', batch), encode('EventBatch', later)],
      ['rollups', encode('Rollup', samples.Rollup), encode('Rollup', samples.Rollup)]
    ] as const) {
      for (const value of [before, Buffer.alloc(40 << 20), after])
        await producer.send(`${own.RINGSIDE_TOPIC_PREFIX}${topic}`, [{ key: 'web-1', value }])
    }
    await producer.close()
    const unread = /offset 1 cannot be read: zstd: decompresses to more than/
    const tail = await finish(['tail', 'events', '--since', '1h', '--format', 'json'], own)
    assert.match(tail.stderr, unread)
    assert.equal(tail.stdout.trim().split('\n').length, 2 * batch.events.length)
    const top = await finish(['top', '--once', '--window', '10m', '--format', 'json'], own)
    assert.match(top.stderr, unread)
    const verify = await finish(['verify', '--format', 'json'], own)
    const reports = verify.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.match(
      reports.find(({ host }) => host === 'unknown')?.findings[0]?.text,
      /record batch at offsets 1–1 of partition 0: zstd: decompresses to more than/
    )
    assert.equal(reports.find(({ host }) => host === batch.host)?.batches, 2)
  })

  test('doctor checks Kafka and its topics', { timeout }, async () => {
    const { stdout } = await finish(['doctor', '--format', 'json'], env)
    const found = new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => {
          const result = JSON.parse(line)
          return [result.name, result.status]
        })
    )
    assert.equal(found.get('kafka'), 'ok')
    assert.equal(found.get('topics'), 'ok')
  })
})
