// Contract of wire/client.ts, consumers and their groups: every Kafka client that is to replace kafkajs must pass these tests.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Commit } from '../../wire/client.ts'
import { createTopic, kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { eventually } from '../support/ringside.ts'
import { clientsOn, numbered } from './support/clients.ts'

describe('a consumer of a Kafka client', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()
  const { send, consume, commitFor } = clientsOn(kafka)

  test('a consumer gets every partition with its batches in order, and knows when it has caught up', async () => {
    const topic = await createTopic(kafka.client, 'consume', 3)
    const messages = numbered(3000, 11)
    await send(topic, messages)
    const { consumer, started, batches, values } = await consume({ group: uniqueName('g'), topics: [topic] })
    await consumer.caughtUp()
    assert.deepEqual(values().toSorted(), messages.map(({ value }) => value).toSorted())
    assert.deepEqual(
      started.toSorted((a, b) => a.partition - b.partition),
      [0, 1, 2].map((partition) => ({ partition, committed: undefined }))
    )
    const next = new Map<number, bigint>()
    for (const { partition, messages } of batches) {
      for (const { offset } of messages) {
        assert.equal(offset, next.get(partition) ?? 0n)
        next.set(partition, offset + 1n)
      }
    }
    await consumer.close()
    await consumer.done
  })

  test('a new consumer of a group starts at the committed offset, with its metadata', async () => {
    const topic = await createTopic(kafka.client, 'commit')
    const group = uniqueName('g')
    await send(topic, numbered(10))
    const first = await consume({ group, topics: [topic] })
    await first.consumer.caughtUp()
    const commit = { topic, partition: 0, offset: 7n, metadata: '{"last":6,"größe":1}' }
    await commitFor(group, commit)
    await first.consumer.close()
    const second = await consume({ group, topics: [topic] })
    await second.consumer.caughtUp()
    assert.deepEqual(second.started, [{ partition: 0, committed: commit }])
    assert.deepEqual(second.values(), ['v7', 'v8', 'v9'])
    await second.consumer.close()
  })

  test('progress returns the position of each group in the partitions with a committed offset', async () => {
    const topic = await createTopic(kafka.client, 'progress', 2)
    const absent = uniqueName('absent')
    await send(topic, numbered(6))
    const group = uniqueName('g')
    assert.deepEqual(await kafka.client.progress([group], [topic, absent]), [])
    const { consumer, values, started } = await consume({ group, topics: [topic] })
    await eventually('the messages', 60, () => (values().length === 6 && started.length === 2 ? true : undefined))
    const partition = (await readAll(kafka.client, topic))[0]?.partition ?? 0
    const commit: Commit = { topic, partition, offset: 4n, metadata: 'kept' }
    await commitFor(group, commit)
    assert.deepEqual(await kafka.client.progress([uniqueName('g'), group], [topic, absent]), [
      { group, commit, endOffset: 6n }
    ])
    await consumer.close()
  })

  test('members returns the members of each group: none of a missing group, another after a new start', async () => {
    const topic = await createTopic(kafka.client, 'members')
    const [group, absent] = [uniqueName('g'), uniqueName('absent')]
    const membersOf = async () => {
      const started: number[] = []
      const { consumer } = await consume({ group, topics: [topic], onStart: async () => void started.push(1) })
      await eventually('the partition', 60, () => (started.length > 0 ? true : undefined))
      const found = await kafka.client.members([group, absent])
      await consumer.close()
      assert.deepEqual(
        found.map((each) => [each.group, each.members.length]),
        [
          [group, 1],
          [absent, 0]
        ]
      )
      return found[0]?.members[0]
    }
    assert.notEqual(await membersOf(), await membersOf())
  })

  test('a group without commits starts at the end with from: latest', async () => {
    const topic = await createTopic(kafka.client, 'latest')
    await send(topic, numbered(10))
    const starts: bigint[] = []
    const { consumer, values } = await consume({
      group: uniqueName('g'),
      topics: [topic],
      from: 'latest',
      onStart: async ({ start }) => {
        starts.push(start)
      }
    })
    await consumer.caughtUp()
    await send(topic, [{ key: 'k', value: 'later' }])
    await consumer.caughtUp()
    await consumer.close()
    assert.deepEqual(starts, [10n])
    assert.deepEqual(values(), ['later'])
  })

  test('a group whose committed offset is out of range starts at the first message', async () => {
    const topic = await createTopic(kafka.client, 'gone')
    const group = uniqueName('g')
    await send(topic, numbered(3))
    const first = await consume({ group, topics: [topic] })
    await first.consumer.caughtUp()
    await commitFor(group, { topic, partition: 0, offset: 1000n, metadata: '' })
    await first.consumer.close()
    const second = await consume({ group, topics: [topic], from: 'latest' })
    await second.consumer.caughtUp()
    await second.consumer.close()
    assert.deepEqual(second.values(), ['v0', 'v1', 'v2'])
  })

  test('partitions move to a second member and back without losing a message', async () => {
    const topic = await createTopic(kafka.client, 'rebalance', 4)
    const group = uniqueName('g')
    const owned = [new Set<number>(), new Set<number>()] as const
    const seen = new Set<string>()
    const member = (mine: Set<number>) =>
      consume({
        group,
        topics: [topic],
        onStart: async ({ partition }) => {
          mine.add(partition)
        },
        onRevoked: ({ partition }) => {
          mine.delete(partition)
        },
        onBatch: async ({ messages }) => {
          for (const { value } of messages) seen.add(String(value))
        }
      })
    const first = await member(owned[0])
    await first.consumer.caughtUp()
    assert.deepEqual([...owned[0]].toSorted(), [0, 1, 2, 3])
    const second = await member(owned[1])
    const isBalanced = () => owned.every((mine) => mine.size === 2)
    for (let i = 0; !isBalanced() && i < 400; i++) await delay(50)
    assert.equal(new Set([...owned[0], ...owned[1]]).size, 4)
    await send(topic, numbered(200, 17))
    await Promise.all([first.consumer.caughtUp(), second.consumer.caughtUp()])
    await second.consumer.close()
    await first.consumer.caughtUp()
    assert.equal(seen.size, 200)
    await first.consumer.close()
  })

  test('an error of onBatch ends the consumer with that error', async () => {
    const topic = await createTopic(kafka.client, 'failure')
    await send(topic, numbered(1))
    const failure = new Error('no')
    const { consumer } = await consume({
      group: uniqueName('g'),
      topics: [topic],
      onBatch: () => Promise.reject(failure)
    })
    await assert.rejects(consumer.done, failure)
    await consumer.close()
  })
})
