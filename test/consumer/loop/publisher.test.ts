import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Publisher } from '../../../consumer/loop/publisher.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import type { KafkaClient, Message, TransactionalSend } from '../../../wire/client.ts'
import { kafkaMissing, readAll, uniqueName, withKafka } from '../../support/kafka.ts'
import { testLog } from '../../support/log.ts'

const topics = { ...loadConfig({}, undefined, {}), topicPrefix: 'r.' }

/** A publisher to a cluster in memory: `ensure` and `send` may throw, `refuses` selects the messages that it refuses. */
const publisherTo = (cluster: {
  ensure?: (topic: string) => void
  send?: (topic: string) => void
  refuses?: (topic: string, message: Message) => boolean
}) => {
  const sent = new Map<string, string[]>()
  const created: string[] = []
  let asked = 0
  const send: TransactionalSend = async (topic, messages) => {
    cluster.send?.(topic)
    const isRefused = (message: Message) => cluster.refuses?.(topic, message) === true
    const taken = messages.filter((message) => !isRefused(message))
    sent.set(topic, [...(sent.get(topic) ?? []), ...taken.map(({ value }) => String(value))])
    return messages.filter(isRefused).map((message) => ({ message, error: new RingsideError('DATA', 'too large') }))
  }
  const client = {
    ensureTopics: async (specifications: readonly { name: string }[]) => {
      asked++
      for (const { name } of specifications) cluster.ensure?.(name)
      created.push(...specifications.map(({ name }) => name))
      return specifications.map(({ name }) => name)
    }
  } as unknown as KafkaClient
  const publisher = new Publisher({ client, service: 'test', topics, log: testLog })
  return {
    publish: (messages: ReadonlyMap<string, readonly Message[]>) => publisher.publish(messages, send),
    sent,
    created,
    asked: () => asked
  }
}

const messages = (...values: string[]): Message[] => values.map((value) => ({ key: 'k', value: Buffer.from(value) }))

test("a user's topic is created once, before the first message to it; Ringside's own topics never are", async () => {
  const { publish, created, sent } = publisherTo({})
  for (const value of ['1', '2']) {
    assert.equal(await publish(new Map(['mine', 'r.rollups'].map((topic) => [topic, messages(value)]))), 0)
  }
  assert.deepEqual(created, ['mine'])
  assert.deepEqual([...sent.entries()].sort(), [
    ['mine', ['1', '2']],
    ['r.rollups', ['1', '2']]
  ])
})

test('the creation of a refused topic is attempted once, and all of its outputs become dead letters', async () => {
  const { publish, sent, asked } = publisherTo({
    ensure: () => {
      throw new RingsideError('DATA', 'no such name is allowed')
    }
  })
  for (const _ of [1, 2]) assert.equal(await publish(new Map([['not a name', messages('a', 'b', 'c')]])), 3)
  assert.deepEqual(sent.get('r.deadletter'), ['a', 'b', 'c', 'a', 'b', 'c'])
  assert.equal(asked(), 1)
})

test('a topic that was deleted while in use is created again', async () => {
  let isGone = false
  const { publish, created, sent } = publisherTo({
    send: () => {
      if (!isGone) return
      isGone = false
      throw new RingsideError('UNAVAILABLE', 'no such topic')
    }
  })
  await publish(new Map([['mine', messages('1')]]))
  isGone = true
  await assert.rejects(publish(new Map([['mine', messages('2')]])), { canRetry: true })
  await publish(new Map([['mine', messages('2')]]))
  assert.deepEqual(created, ['mine', 'mine'])
  assert.deepEqual(sent.get('mine'), ['1', '2'])
})

test('a refused output becomes a dead letter, and one too large for deadletter leaves its headers there', async () => {
  const { publish, sent } = publisherTo({
    refuses: (topic, { value }) => String(value) === 'huge' || (topic === 'mine' && String(value) === 'large')
  })
  assert.equal(await publish(new Map([['mine', messages('a', 'large', 'huge', 'b')]])), 2)
  assert.deepEqual(sent.get('mine'), ['a', 'b'])
  assert.deepEqual(sent.get('r.deadletter'), ['large', 'null'])
})

describe('with Kafka', { skip: await kafkaMissing(), timeout: 60_000 }, () => {
  const kafka = withKafka()

  test('a missing topic is created with the configured partitions, and an invalid topic name is refused', async () => {
    const topicPrefix = `${uniqueName('publisher')}.`
    const [mine, deadletter] = [`${topicPrefix}mine`, `${topicPrefix}deadletter`]
    await kafka.client.ensureTopics([{ name: deadletter, partitions: 1, replicas: 1, settings: {} }])
    const [topic, partition, group] = [deadletter, 0, `${topicPrefix}test`]
    const producer = await kafka.client.transactional({ id: group, group, topic, partition })
    const publisher = new Publisher({
      client: kafka.client,
      service: 'test',
      topics: { ...topics, topicPrefix },
      log: testLog
    })
    const outputs = new Map([
      [mine, messages('1')],
      ['not a name', messages('2')]
    ])
    await producer.transact(
      async (send) => {
        assert.equal(await publisher.publish(outputs, send), 1)
      },
      { topic, partition, offset: 1n, metadata: '' }
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
