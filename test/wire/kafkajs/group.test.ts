// A member of a group whose fetches fail, at a real broker.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, mock, test } from 'node:test'
import { RingsideError } from '../../../runtime/errors.ts'
import type { ConsumerOptions } from '../../../wire/client.ts'
import { createTopic, expectReadable, kafkaMissing, uniqueName, withKafka } from '../../support/kafka.ts'
import { eventually } from '../../support/ringside.ts'

interface FetchingBroker {
  fetch(request: { readonly topics: readonly { readonly topic: string }[] }): Promise<unknown>
}

const require = createRequire(import.meta.url)
const { prototype: broker }: { prototype: FetchingBroker } = require('kafkajs/src/broker')

/** Fetches of one topic fail so many times. */
const failFetches = (topic: string, times: number, error: Error) => {
  const { fetch } = broker
  let left = times
  return mock.method(broker, 'fetch', function (this: FetchingBroker, request: Parameters<typeof fetch>[0]) {
    const isOurs = request.topics.some((each) => each.topic === topic)
    if (!isOurs || left === 0) return fetch.call(this, request)
    left -= 1
    return Promise.reject(error)
  })
}

describe('a member of a group', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()

  const consume = async (topic: string, options: Partial<ConsumerOptions> = {}) => {
    const values: string[] = []
    const consumer = await kafka.client.consumer({
      group: uniqueName('g'),
      topics: [topic],
      from: 'earliest',
      onStart: async () => {},
      onBatch: async ({ messages }) => void values.push(...messages.map(({ value }) => String(value))),
      onUnreadable: async (batch) => expectReadable(batch),
      onRevoked: () => {},
      ...options
    })
    return { consumer, values }
  }

  const publish = async (topic: string, ...values: string[]): Promise<void> => {
    const producer = await kafka.client.producer()
    await producer.send(
      topic,
      values.map((value) => ({ key: 'k', value: Buffer.from(value) }))
    )
    await producer.close()
  }

  test('rejoins after a failure that passes, and counts it', async (t) => {
    const topic = await createTopic(kafka.client, 'passes')
    await publish(topic, 'a')
    const failing = failFetches(topic, 2, new TypeError("Cannot read properties of null (reading 'x')"))
    t.after(() => failing.mock.restore())
    const { consumer, values } = await consume(topic)
    await eventually('the message', 60, () => (values.length > 0 ? true : undefined))
    const { isMember, crashes, rejoins, lastError } = consumer.membership
    assert.deepEqual([values, isMember, crashes, rejoins], [['a'], true, 2, 2])
    assert.match(lastError ?? '', /reading 'x'/)
    await consumer.close()
    assert.equal(consumer.membership.isMember, false)
  })

  test('gives up on a failure that is no lost connection and does not pass', async (t) => {
    const topic = await createTopic(kafka.client, 'stays')
    await publish(topic, 'a')
    const failing = failFetches(topic, Number.POSITIVE_INFINITY, new TypeError('x is not a function'))
    t.after(() => failing.mock.restore())
    const { consumer } = await consume(topic)
    await assert.rejects(consumer.done, (error) => {
      assert.ok(error instanceof RingsideError)
      assert.equal(error.code, 'SOFTWARE')
      assert.match(error.message, /cannot consume as group g-.*: x is not a function/)
      return true
    })
    assert.deepEqual([consumer.membership.isMember, consumer.membership.crashes], [false, 5])
    const reading = kafka.client.read({
      topic,
      sinceMs: 0,
      untilEnd: false,
      onMessage: () => undefined,
      onUnreadable: expectReadable
    })
    await assert.rejects(reading, /cannot read stays-.*: x is not a function/)
  })

  test('positions are where the consumer is, and where the broker ends, also while it hangs', async () => {
    const topic = await createTopic(kafka.client, 'positions')
    await publish(topic, 'a', 'b')
    const hanging = Promise.withResolvers<void>()
    let handled = 0
    const { consumer } = await consume(topic, {
      onBatch: ({ messages }) => {
        handled += messages.length
        return handled > 2 ? hanging.promise : Promise.resolve()
      }
    })
    await consumer.caughtUp()
    assert.deepEqual(await consumer.positions(), [{ topic, partition: 0, position: 2n, endOffset: 2n }])
    await publish(topic, 'c')
    await publish(topic, 'd', 'e')
    await eventually('the third message', 60, () => (handled > 2 ? true : undefined))
    assert.deepEqual(await consumer.positions(), [{ topic, partition: 0, position: 2n, endOffset: 5n }])
    hanging.resolve()
    await consumer.close()
  })

  test('an error of a callback that no retry can fix ends the consumer at once', async () => {
    const topic = await createTopic(kafka.client, 'callback')
    const failure = new TypeError('no such property')
    const { consumer } = await consume(topic, { onAssigned: () => Promise.reject(failure) })
    await assert.rejects(consumer.done, failure)
  })
})
