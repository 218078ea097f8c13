import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { loadConfig } from '../../runtime/load-config.ts'
import { encode } from '../../wire/codec.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import { batchOf, eventOf } from '../consumer/support/batches.ts'
import { kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'

const batches = 400
const eventsPerBatch = 5

describe('a consumer that is killed in mid-stream', { skip: await kafkaMissing(), timeout: 180_000 }, () => {
  const kafka = withKafka()

  test('leaves no output missing and none twice, however often it is killed', async (t) => {
    const topicPrefix = `${uniqueName('killed')}.`
    const output = `${topicPrefix}copies`
    const config = loadConfig({ topicPrefix }, undefined, {})
    await kafka.client.ensureTopics([
      ...topicSpecifications(config),
      { name: output, partitions: 3, replicas: 1, settings: {} }
    ])
    const start = () =>
      spawn(
        process.execPath,
        [join(import.meta.dirname, 'copying-consumer.ts'), kafka.brokers.join(','), topicPrefix, output],
        {
          stdio: ['ignore', 'ignore', 'inherit']
        }
      )
    const copied = async () => (await readAll(kafka.client, output)).map(({ value }) => Number(value))

    const producer = await kafka.client.producer()
    const publishing = (async () => {
      for (let batch = 0; batch < batches; batch++) {
        const events = Array.from({ length: eventsPerBatch }, (_, i) => eventOf({ seq: batch * eventsPerBatch + i }))
        const host = `host-${batch % 7}`
        await producer.send(topicName(config, 'events'), [
          { key: host, value: encode('EventBatch', batchOf({ host, batch, events })) }
        ])
        await delay(5)
      }
    })()

    let consumer = start()
    t.after(() => consumer.kill('SIGKILL'))
    let before = 0
    for (let kill = 0; kill < 2; kill++) {
      // Killed once it has made progress since the last kill.
      for (let i = 0; i < 300; i++) {
        const { length } = await copied()
        if (length > before) {
          before = length
          break
        }
        await delay(50)
      }
      consumer.kill('SIGKILL')
      await once(consumer, 'exit')
      consumer = start()
    }
    await publishing
    await producer.close()
    for (let i = 0; (await copied()).length < batches * eventsPerBatch && i < 600; i++) await delay(100)
    consumer.kill('SIGTERM')
    const [code] = await once(consumer, 'exit')
    assert.equal(code, 0)
    const seqs = (await copied()).sort((a, b) => a - b)
    assert.deepEqual(
      seqs,
      Array.from({ length: batches * eventsPerBatch }, (_, seq) => seq)
    )
    assert.deepEqual(await readAll(kafka.client, topicName(config, 'deadletter')), [])
  })
})
