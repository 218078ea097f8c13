// Contract of wire/client.ts, reads: every Kafka client that is to replace kafkajs must pass these tests.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createTopic, expectReadable, kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { clientsOn, numbered } from './support/clients.ts'
import { kcat, kcatMissing } from './support/kcat.ts'

describe('a read of a Kafka client', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()
  const { send } = clientsOn(kafka)

  test('a read with sinceMs starts at the first message of that time or later', async () => {
    const topic = await createTopic(kafka.client, 'since', 3)
    await send(topic, numbered(30, 9))
    await delay(30)
    const sinceMs = Date.now()
    await delay(30)
    await send(topic, [{ key: 'k1', value: 'late' }])
    const found: string[] = []
    await kafka.client.read({
      topic,
      sinceMs,
      untilEnd: true,
      onUnreadable: expectReadable,
      onMessage: ({ value }) => {
        found.push(String(value))
        return undefined
      }
    })
    assert.deepEqual(found, ['late'])
  })

  test('a read with a key reads only the partition of its messages, and says how far it is', async () => {
    const topic = await createTopic(kafka.client, 'keyed', 4)
    const producer = await kafka.client.producer()
    const keys = Array.from({ length: 40 }, (_, i) => `host-${i}`)
    for (const key of keys) await producer.send(topic, [{ key, value: Buffer.from('x') }])
    await producer.close()
    const partitions = new Map<string, number>()
    for (const { key, partition } of await readAll(kafka.client, topic)) partitions.set(key, partition)
    const found: { key: string; partition: number }[] = []
    const progress: [number, number][] = []
    await kafka.client.read({
      topic,
      key: 'host-7',
      sinceMs: 0,
      untilEnd: true,
      onProgress: (read, total) => void progress.push([read, total]),
      onMessage: ({ key }, partition) => void found.push({ key: String(key), partition }),
      onUnreadable: expectReadable
    })
    const expected = keys.filter((key) => partitions.get(key) === partitions.get('host-7'))
    assert.ok(expected.length < keys.length)
    assert.deepEqual(
      found.map(({ key }) => key),
      expected
    )
    assert.deepEqual(progress.at(-1), [expected.length, expected.length])
  })

  test('a read with untilEnd stops at the ends that the partitions had at its start, also in an empty topic', async () => {
    const topic = await createTopic(kafka.client, 'until-end', 3)
    assert.deepEqual(await readAll(kafka.client, topic), [])
    await send(topic, numbered(10, 1))
    let count = 0
    await kafka.client.read({
      topic,
      sinceMs: 0,
      untilEnd: true,
      onUnreadable: expectReadable,
      onMessage: async () => {
        if (count === 0) await send(topic, numbered(5, 1))
        count += 1
        return undefined
      }
    })
    assert.equal(count, 10)
  })

  test('a read without untilEnd follows the topic until the callback returns false or the signal aborts', async () => {
    const topic = await createTopic(kafka.client, 'follow')
    await send(topic, [{ key: 'k', value: 'early' }])
    const found: string[] = []
    const stop = new AbortController()
    const following = kafka.client.read(
      {
        topic,
        untilEnd: false,
        onUnreadable: expectReadable,
        onMessage: ({ value }) => {
          found.push(String(value))
          return found.length < 3
        }
      },
      stop.signal
    )
    for (let i = 0; found.length < 3 && i < 100; i++) {
      await send(topic, [{ key: 'k', value: `n${i}` }])
      await delay(50)
    }
    await following
    assert.equal(found.length, 3)
    assert.ok(!found.includes('early'))

    const endless = kafka.client.read(
      { topic, untilEnd: false, onMessage: () => undefined, onUnreadable: expectReadable },
      stop.signal
    )
    stop.abort()
    await endless
  })

  test('a read leaves no consumer group behind', { skip: kcatMissing }, async () => {
    const topic = await createTopic(kafka.client, 'groups')
    await send(topic, numbered(1))
    await readAll(kafka.client, topic)
    const { stdout } = await kcat('-b', kafka.brokers.join(','), '-L', '-J')
    const groups = (JSON.parse(stdout) as { groups?: { group: string }[] }).groups ?? []
    assert.deepEqual(
      groups.filter(({ group }) => group.startsWith('ringside-read-')),
      []
    )
  })

  test('a read of a missing topic is refused, and an error of the callback is thrown unchanged', async () => {
    const everything = { sinceMs: 0, untilEnd: true, onMessage: () => undefined, onUnreadable: expectReadable }
    const absent = kafka.client.read({ ...everything, topic: uniqueName('absent') })
    await assert.rejects(absent, /topic absent-\S* does not exist/)
    const topic = await createTopic(kafka.client, 'callback')
    await send(topic, numbered(1))
    const failure = new Error('disk full')
    const failing = kafka.client.read({ ...everything, topic, onMessage: () => Promise.reject(failure) })
    await assert.rejects(failing, failure)
  })
})
