// What an edge on the live kernel survives while Kafka is away: at its start, for a minute under load, and with a disk
// that has no room for what waits. Every known call is in the topic once in the end, or declared as lost.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type LocalKafka, startLocalKafka } from '../../deploy/kafka/local-kafka.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import type { KafkaClient } from '../../wire/client.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import { localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import {
  assertKnown,
  build,
  NumberedCalls,
  readPublished,
  startObserver,
  stop,
  untilPublished
} from '../support/known-calls.ts'
import { testLog } from '../support/log.ts'
import { freePort, temporaryDirectory } from '../support/ringside.ts'

const endless = 0xffffff
const awayMs = 60_000

const skip = (await localKafkaMissing()) || kernelTests.skip

describe('an edge on the live kernel, while Kafka is away', { skip, timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-away-'))
  let program: string
  let port: number
  let client: KafkaClient
  let kafka: LocalKafka | undefined

  const startKafka = async (): Promise<void> => {
    kafka = await startLocalKafka({ stateDir: folder, port, heapMb: 256, log: testLog })
  }
  const killKafka = async (): Promise<void> => {
    process.kill(kafka?.pid as number, 'SIGKILL')
    await kafka?.exited
    kafka = undefined
  }
  /** Topics of a test's own, made while Kafka is there. */
  const setUp = async (topicPrefix: string, stateDir: string) => {
    if (kafka === undefined) await startKafka()
    const config = loadConfig({ topicPrefix, kafka: { partitions: 1 } }, undefined, {})
    await client.ensureTopics(topicSpecifications(config))
    const env = {
      RINGSIDE_STATE_DIR: stateDir,
      RINGSIDE_BROKERS: `127.0.0.1:${port}`,
      RINGSIDE_TOPIC_PREFIX: topicPrefix
    }
    const topic = topicName(config, 'events')
    return { env, topic, told: () => readPublished(client, topic) }
  }

  before(async () => {
    program = build(folder, 'numbered_calls')
    port = await freePort()
    client = createKafkaClient({ brokers: [`127.0.0.1:${port}`], clientId: 'ringside-test', log: testLog })
  })
  after(async () => {
    await kafka?.stop()
    execFileSync('rm', ['-rf', folder])
  })

  test('loses nothing that is called before Kafka is there, nor in a minute without it', async (t) => {
    const { env, topic, told } = await setUp('away.', temporaryDirectory(t, 'away'))
    await killKafka()
    const edge = await startObserver(t, env)
    const calls = new NumberedCalls(t, program, 'steady', endless, 2)
    await delay(5_000)
    await startKafka()
    const batches = await untilPublished(client, topic, 0)
    await killKafka()
    await delay(awayMs)
    await startKafka()
    await untilPublished(client, topic, batches)
    const made = await calls.end()
    await stop(edge)
    const found = await told()
    assert.ok(made.made > 100_000)
    assertKnown(found, [made])
    t.diagnostic(`${made.made} numbered and ${made.asked} counted calls, ${found.batches.length} batches`)
  })

  test('declares exactly what neither rings nor a full disk had room for', async (t) => {
    const disk = mkdtempSync(join(tmpdir(), 'ringside-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'pipe' })
    t.after(() => execFileSync('umount', ['--lazy', disk]))
    t.after(() => rmdirSync(disk))
    const { env, topic, told } = await setUp('full.', disk)
    await killKafka()
    const rings = ['--security-ring-bytes', String(4 << 20), '--ring-bytes', String(1 << 20)]
    const edge = await startObserver(t, env, rings)
    const made = await new NumberedCalls(t, program, 'steady', 150_000, 10).made
    await delay(1_000)
    assert.match(edge.output.stderr, /cannot write to spool/)
    assert.match(edge.output.stderr, /dropping events/)
    await startKafka()
    await untilPublished(client, topic, 0)
    await stop(edge)
    const found = await told()
    const sockets = found.batches.flatMap(({ events }) => events.filter(({ syscall }) => syscall === 'socket')).length
    const lost = found.dropped('network') - (1 - sockets)
    assert.ok(lost > 0)
    assertKnown(found, [made], lost)
    t.diagnostic(`${lost} of ${made.made} calls lost, and declared`)
  })
})
