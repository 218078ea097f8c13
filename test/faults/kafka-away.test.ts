// An edge on the live kernel during outages of Kafka: at its start, for a minute under load, and with a full disk. Every
// known call is in the topic once afterwards, or declared as lost.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { topicName } from '../../wire/topics.ts'
import { stop } from '../support/edge.ts'
import { createTopics, localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import {
  assertKnown,
  build,
  lostCalls,
  NumberedCalls,
  readPublished,
  startObserver,
  untilPublished
} from '../support/known-calls.ts'
import { OwnKafka } from '../support/own-kafka.ts'
import { temporaryDirectory } from '../support/ringside.ts'
import { mountSmallDisk } from '../support/small-disk.ts'

const endless = 0xffffff
const awayMs = 60_000

const skip = (await localKafkaMissing()) || kernelTests.skip

describe('an edge on the live kernel, during an outage of Kafka', { skip, timeout: 300_000 }, () => {
  let kafka: OwnKafka

  /** A state folder, topics, which need a Kafka that runs, and the program for one test. */
  const setUp = async (t: TestContext, base: string, stateDir?: string) => {
    if (!kafka.isRunning) await kafka.start()
    const folder = temporaryDirectory(t, base)
    const { config, env: topics } = await createTopics(kafka, base)
    const env = { ...topics, RINGSIDE_STATE_DIR: stateDir ?? folder }
    const topic = topicName(config, 'events')
    const published = () => readPublished(kafka.client, topic)
    return { env, topic, program: build(folder, 'numbered_calls'), published }
  }

  before(async () => {
    kafka = await OwnKafka.prepare()
  })
  after(() => kafka.remove())

  test('loses no call before Kafka starts, nor during a minute without Kafka', async (t) => {
    const { env, topic, program, published } = await setUp(t, 'away')
    await kafka.kill()
    const edge = await startObserver(t, env)
    const calls = new NumberedCalls(t, program, 'steady', endless, 2)
    await delay(5_000)
    await kafka.start()
    const batches = await untilPublished(kafka.client, topic, 0)
    await kafka.kill()
    await delay(awayMs)
    await kafka.start()
    await untilPublished(kafka.client, topic, batches)
    const made = await calls.end()
    await stop(edge)
    const found = await published()
    assert.ok(made.made > 100_000)
    assertKnown(found, [made])
    t.diagnostic(`${made.made} numbered and ${made.asked} counted calls, ${found.batches.length} batches`)
  })

  test('declares exactly the events that neither its rings nor its full disk had room for', async (t) => {
    const { folder: disk } = mountSmallDisk(t, 2 << 20)
    const { env, topic, program, published } = await setUp(t, 'full', disk)
    await kafka.kill()
    const rings = ['--security-ring-bytes', String(4 << 20), '--ring-bytes', String(1 << 20)]
    const edge = await startObserver(t, env, rings)
    const made = await new NumberedCalls(t, program, 'steady', 150_000, 10).made
    await delay(1_000)
    assert.match(edge.output.stderr, /cannot write to spool/)
    assert.match(edge.output.stderr, /dropping events/)
    await kafka.start()
    await untilPublished(kafka.client, topic, 0)
    await stop(edge)
    const found = await published()
    const lost = lostCalls(found)
    assert.ok(lost > 0)
    assertKnown(found, [made], lost)
    t.diagnostic(`${lost} of ${made.made} calls lost, and declared`)
  })
})
