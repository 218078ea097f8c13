import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Publisher } from '../../consumer/publisher.ts'
import { loadConfig } from '../../runtime/config.ts'
import { RingsideError } from '../../runtime/errors.ts'
import type { KafkaClient, Message, Producer } from '../../wire/client.ts'
import { kafkaMissing, readAll, testLog, uniqueName, withKafka } from '../support/kafka.ts'

const topics = { ...loadConfig({}, undefined, {}), topicPrefix: 'r.' }

/** A cluster of topics in memory: `ensure` and `send` may refuse by throwing. */
const publisherTo = (cluster: { ensure?: (topic: string) => void; send?: (topic: string, n: number) => void }) => {
  const sent = new Map<string, string[]>()
  const created: string[] = []
  let asked = 0
  const producer: Producer = {
    send: async (topic, messages) => {
      cluster.send?.(topic, messages.length)
      sent.set(topic, [...(sent.get(topic) ?? []), ...messages.map(({ value }) => String(value))])
    },
    close: async () => {}
  }
  const client = {
    ensureTopics: async (specifications: readonly { name: string }[]) => {
      asked++
      for (const { name } of specifications) cluster.ensure?.(name)
      created.push(...specifications.map(({ name }) => name))
      return specifications.map(({ name }) => name)
    }
  } as unknown as KafkaClient
  const { signal } = new AbortController()
  const publisher = new Publisher({
    client,
    producer,
    service: 'test',
    topics,
    log: testLog,
    stopping: signal,
    abandon: signal
  })
  return { publisher, sent, created, asked: () => asked }
}

const messages = (...values: string[]): Message[] => values.map((value) => ({ key: 'k', value: Buffer.from(value) }))

test("a user's topic is made once before the first message to it, Ringside's own are not", async () => {
  const { publisher, created, sent } = publisherTo({})
  for (const value of ['1', '2']) {
    assert.equal(await publisher.publish(new Map(['mine', 'r.rollups'].map((topic) => [topic, messages(value)]))), true)
  }
  assert.deepEqual(created, ['mine'])
  assert.deepEqual([...sent.entries()].sort(), [
    ['mine', ['1', '2']],
    ['r.rollups', ['1', '2']]
  ])
})

test('a topic that cannot be made is asked for once: all of its outputs become dead letters', async () => {
  const { publisher, sent, asked } = publisherTo({
    ensure: () => {
      throw new RingsideError('DATA', 'no such name is allowed')
    }
  })
  for (const _ of [1, 2])
    assert.equal(await publisher.publish(new Map([['not a name', messages('a', 'b', 'c')]])), true)
  assert.deepEqual(sent.get('r.deadletter'), ['a', 'b', 'c', 'a', 'b', 'c'])
  assert.equal(publisher.refusals, 6)
  assert.equal(asked(), 1)
})

test('a topic that was deleted while it was written to is made again', async () => {
  let isGone = false
  const { publisher, created, sent } = publisherTo({
    send: () => {
      if (!isGone) return
      isGone = false
      throw new RingsideError('UNAVAILABLE', 'no such topic')
    }
  })
  await publisher.publish(new Map([['mine', messages('1')]]))
  isGone = true
  await publisher.publish(new Map([['mine', messages('2')]]))
  assert.deepEqual(created, ['mine', 'mine'])
  assert.deepEqual(sent.get('mine'), ['1', '2'])
})

describe('with Kafka', { skip: await kafkaMissing(), timeout: 60_000 }, () => {
  const kafka = withKafka()

  test('a missing topic is there, with the configured partitions, and a name that Kafka does not allow is refused', async () => {
    const { signal } = new AbortController()
    const topicPrefix = `${uniqueName('publisher')}.`
    const [mine, deadletter] = [`${topicPrefix}mine`, `${topicPrefix}deadletter`]
    await kafka.client.ensureTopics([{ name: deadletter, partitions: 1, replicas: 1, settings: {} }])
    const producer = await kafka.client.producer()
    const publisher = new Publisher({
      client: kafka.client,
      producer,
      service: 'test',
      topics: { ...topics, topicPrefix },
      log: testLog,
      stopping: signal,
      abandon: signal
    })
    await publisher.publish(
      new Map([
        [mine, messages('1')],
        ['not a name', messages('2')]
      ])
    )
    await producer.close()
    const [described] = await kafka.client.describeTopics([mine])
    assert.equal(described?.partitions, topics.kafka.partitions)
    assert.deepEqual(
      (await readAll(kafka.client, mine)).map(({ value }) => String(value)),
      ['1']
    )
    const [letter] = await readAll(kafka.client, deadletter)
    assert.match(letter?.headers?.['reason'] ?? '', /INVALID_TOPIC_EXCEPTION/)
  })
})
