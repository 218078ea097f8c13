// Faults of an edge on the live kernel while Kafka runs: every known call is in the topic once, without duplicates, or
// declared as lost, and counted calls add up.
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { topicName } from '../../wire/topics.ts'
import { bpffsMissing, pinFolder } from '../support/bpffs.ts'
import { kill, stop } from '../support/edge.ts'
import { createTopics, kafkaMissing, withKafka } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { assertKnown, build, lostCalls, NumberedCalls, readPublished, startObserver } from '../support/known-calls.ts'
import { temporaryDirectory } from '../support/ringside.ts'

const endless = 0xffffff

describe('an edge on the live kernel', { skip: (await kafkaMissing()) || kernelTests.skip, timeout: 300_000 }, () => {
  const kafka = withKafka()
  let program: (folder: string) => string

  before(() => {
    program = (folder) => build(folder, 'numbered_calls')
  })

  /** A state folder, topics and the program for one test. */
  const setUp = async (t: TestContext, more: Readonly<Record<string, string>> = {}) => {
    const folder = temporaryDirectory(t, 'faults')
    const { config, env: topics } = await createTopics(kafka, 'faults')
    const env = { ...topics, RINGSIDE_STATE_DIR: join(folder, 'state'), ...more }
    const published = () => readPublished(kafka.client, topicName(config, 'events'))
    return { folder, env, program: program(folder), published }
  }

  test('loses no call to a kill -9, ten times over', { skip: bpffsMissing() }, async (t) => {
    const { env, program: path, published } = await setUp(t, { RINGSIDE_PIN_DIR: pinFolder(t) })
    let edge = await startObserver(t, env)
    const calls = new NumberedCalls(t, path, 'steady', endless, 2)
    for (let kills = 0; kills < 10; kills++) {
      await delay(300 + Math.random() * 1500)
      await kill(edge)
      edge = await startObserver(t, env)
      assert.match(edge.output.stderr, /taking over from run /)
    }
    await delay(1000)
    const made = await calls.end()
    await stop(edge)
    const found = await published()
    assertKnown(found, [made])
    assert.equal(new Set(found.batches.map(({ run }) => run)).size, 11)
    t.diagnostic(`${made.made} numbered and ${made.asked} counted calls, ${found.batches.length} batches`)
  })

  test('follows steps of the wall clock, and its own clock never steps back', async (t) => {
    const folder = temporaryDirectory(t, 'clock')
    const library = build(folder, 'stepped_clock', ['-shared', '-fPIC'])
    const clock = join(folder, 'offset')
    const shim = { LD_PRELOAD: library, STEPPED_CLOCK: clock }
    writeFileSync(clock, '0')
    // The edge reads the file as nobody.
    chmodSync(folder, 0o755)
    const { env, program: path, published } = await setUp(t, shim)
    const edge = await startObserver(t, env)
    const calls = new NumberedCalls(t, path, 'steady', endless, 2)
    // A broker rejects timestamps more than an hour ahead.
    for (const offset of [0, 1800, -3600, 3000]) {
      writeFileSync(clock, String(offset))
      await delay(2500)
    }
    const made = await calls.end()
    await stop(edge)
    const found = await published()
    assertKnown(found, [made])
    const offsets = new Set<number>()
    let clockUs = 0
    for (const batch of found.batches) {
      assert.ok(batch.clock.monotonic_us >= clockUs)
      clockUs = batch.clock.monotonic_us
      offsets.add(Math.round((batch.clock.wall_us - batch.clock.monotonic_us) / 6e8))
    }
    assert.equal(offsets.size, 4, 'the wall clock of batches is that of the machine')
  })

  test('publishes 20,000 short-lived processes, each with its call', async (t) => {
    const { env, program: path, published } = await setUp(t)
    const edge = await startObserver(t, env)
    const made = await new NumberedCalls(t, path, 'processes', 20_000).made
    await stop(edge)
    const found = await published()
    const lost = found.dropped('network')
    assertKnown(found, [made], lost)
    const events = found.batches.flatMap((batch) => batch.events)
    const exits = events.filter(({ kind }) => kind === 'exit').length
    assert.equal(exits + found.dropped('process') >= 20_000, true)
    t.diagnostic(`${events.length} events, ${lost} lost`)
  })

  test('survives a fork bomb, and declares the events that it lost', async (t) => {
    const { env, program: path, published } = await setUp(t)
    const edge = await startObserver(t, env)
    const made = await new NumberedCalls(t, path, 'bomb', 3_000).made
    await stop(edge)
    const found = await published()
    assertKnown(found, [made], found.dropped('network'))
  })

  test('declares exactly the events that rings of 16 KiB had no room for', async (t) => {
    const { env, program: path, published } = await setUp(t)
    const edge = await startObserver(t, env, ['--security-ring-bytes', '16384', '--ring-bytes', '16384'])
    const made = await new NumberedCalls(t, path, 'steady', 100_000).made
    await stop(edge)
    const found = await published()
    const lost = lostCalls(found)
    assert.ok(lost > 0)
    assertKnown(found, [made], lost)
    t.diagnostic(`${lost} of ${made.made} calls lost, and declared`)
  })
})
