// Retries of wire/kafkajs/client.ts against a local Kafka, with a broker that answers late.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, mock, test } from 'node:test'
import { kafkaMissing, uniqueName, withKafka } from '../../support/kafka.ts'

interface Broker {
  metadata(topics?: string[]): Promise<unknown>
}

const require = createRequire(import.meta.url)
const { prototype: broker }: { prototype: Broker } = require('kafkajs/src/broker')
const { KafkaJSProtocolError } = require('kafkajs')

describe('a client on kafkajs', { skip: await kafkaMissing(), timeout: 60_000 }, () => {
  const kafka = withKafka()

  test('ensureTopics returns the topics it created, also when the broker has no metadata of them yet', async () => {
    const name = uniqueName('late')
    const { metadata } = broker
    let isLate = false
    const answering = mock.method(broker, 'metadata', function (this: Broker, topics: string[] = []) {
      if (isLate || !topics.includes(name)) return metadata.call(this, topics)
      isLate = true
      const type = 'UNKNOWN_TOPIC_OR_PARTITION'
      return Promise.reject(
        new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 3, retriable: true }))
      )
    })
    const topic = { name, partitions: 2, replicas: 1, settings: {} }
    const created = await kafka.client.ensureTopics([topic]).finally(() => answering.mock.restore())
    assert.ok(isLate)
    assert.deepEqual(created, [name])
    assert.deepEqual(await kafka.client.describeTopics([name]), [
      { name, partitions: 2, replicas: 1, minInsyncReplicas: 1, messages: 0n }
    ])
  })
})
