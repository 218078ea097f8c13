// Contract of wire/client.ts, topics and messages: every Kafka client that is to replace kafkajs must pass these tests.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RingsideError } from '../../runtime/errors.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { createTopic, expectReadable, kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { clientsOn, numbered, toMessage } from './support/clients.ts'
import { cutOnce } from './support/cut-connections.ts'
import { javaMissing, produceWithJava } from './support/java-producer.ts'
import { kcat, kcatMissing } from './support/kcat.ts'

const noJava = await javaMissing()

describe('a Kafka client', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()
  const { send, consume } = clientsOn(kafka)

  test('ping returns the id and the number of brokers of the cluster', async () => {
    const { clusterId, brokers } = await kafka.client.ping()
    assert.match(clusterId, /^\S+$/)
    assert.ok(brokers >= 1)
  })

  test('a connection lost at any metadata request gives an error that can be retried', async () => {
    for (const nth of [1, 2]) {
      const isCut = cutOnce('Metadata', 'before', nth)
      await assert.rejects(kafka.client.ping(), (error) => error instanceof RingsideError && error.canRetry)
      assert.ok(isCut())
    }
  })

  test('ensureTopics creates missing topics with their settings and leaves the others unchanged', async () => {
    const [old, fresh] = [uniqueName('old'), uniqueName('fresh')]
    const specify = (name: string, partitions: number) => ({
      name,
      partitions,
      replicas: 1,
      settings: { 'retention.ms': '3600000', 'min.insync.replicas': name === old ? '2' : '1' }
    })
    assert.deepEqual(await kafka.client.ensureTopics([specify(old, 2)]), [old])
    assert.deepEqual(await kafka.client.ensureTopics([specify(old, 5), specify(fresh, 3)]), [fresh])
    assert.deepEqual(await kafka.client.ensureTopics([specify(old, 5), specify(fresh, 3)]), [])
    const described = await kafka.client.describeTopics([old, uniqueName('absent'), fresh])
    assert.deepEqual(described, [
      { name: old, partitions: 2, replicas: 1, minInsyncReplicas: 2, messages: 0n },
      { name: fresh, partitions: 3, replicas: 1, minInsyncReplicas: 1, messages: 0n }
    ])
  })

  test('a topic that the brokers refuse is refused with their reason', async () => {
    const absurd = { name: uniqueName('t'), partitions: 1, replicas: 9, settings: {} }
    await assert.rejects(kafka.client.ensureTopics([absurd]), (error) => {
      assert.ok(error instanceof RingsideError)
      assert.equal(error.code, 'DATA')
      assert.match(error.message, /replication factor|REPLICATION_FACTOR/i)
      return true
    })
  })

  test('messages of one key keep their order over several sends of thousands of messages', async () => {
    const topic = await createTopic(kafka.client, 'order', 3)
    const producer = await kafka.client.producer()
    const messages = numbered(5000, 7)
    await Promise.all([
      producer.send(topic, messages.slice(0, 2500).map(toMessage)),
      producer.send(topic, messages.slice(2500).map(toMessage))
    ])
    await producer.close()
    const found = await readAll(kafka.client, topic)
    assert.equal(found.length, 5000)
    for (const key of new Set(messages.map((message) => message.key))) {
      const values = (list: { key: string; value: unknown }[]) =>
        list.filter((message) => message.key === key).map(({ value }) => String(value))
      assert.deepEqual(values(found), values(messages))
    }
    const partitionsOf = (key: string) => new Set(found.filter((m) => m.key === key).map((m) => m.partition)).size
    assert.deepEqual([...new Set(messages.map(({ key }) => partitionsOf(key)))], [1])
  })

  test('keys, values, headers and timestamps arrive unchanged, also null and binary ones', async () => {
    const topic = await createTopic(kafka.client, 'fields')
    const before = Date.now()
    const producer = await kafka.client.producer()
    const bytes = Buffer.from([0, 255, 254, 1])
    await producer.send(topic, [
      { key: bytes, value: bytes, headers: { reason: 'größer', code: 'DATA' } },
      { key: null, value: null }
    ])
    await producer.close()
    const found: unknown[] = []
    await kafka.client.read({
      topic,
      sinceMs: 0,
      untilEnd: true,
      onUnreadable: expectReadable,
      onMessage: ({ timestampMs, ...rest }) => {
        assert.ok(timestampMs >= before && timestampMs <= Date.now())
        found.push(rest)
        return undefined
      }
    })
    assert.deepEqual(found, [
      { key: bytes, value: bytes, headers: { reason: 'größer', code: 'DATA' }, offset: 0n },
      { key: null, value: null, headers: {}, offset: 1n }
    ])
  })

  test('another client reads the zstd compression', { skip: kcatMissing }, async () => {
    const topic = await createTopic(kafka.client, 'zstd')
    const value = 'abc'.repeat(10_000)
    await send(topic, [{ key: 'k', value }])
    const args = ['-b', kafka.brokers.join(','), '-C', '-t', topic, '-e', '-q', '-d', 'msg']
    const { stdout, stderr } = await kcat(...args)
    assert.equal(stdout.trim(), value)
    assert.match(stderr, /zstd/i)
  })

  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

  const values = Array.from({ length: 500 }, (_, i) => `${i} ${'ringside'.repeat(i % 40)}`)

  for (const codec of codecs) {
    test(`messages that librdkafka compresses with ${codec} are read`, { skip: kcatMissing }, async () => {
      const topic = await createTopic(kafka.client, 'kcat')
      const child = kcat('-b', kafka.brokers.join(','), '-P', '-t', topic, '-z', codec, '-K', ':')
      child.child.stdin?.end(values.map((value, i) => `k${i}:${value}\n`).join(''))
      await child
      const found = await readAll(kafka.client, topic)
      assert.deepEqual(
        found.map(({ key, value }) => [key, String(value)]),
        values.map((value, i) => [`k${i}`, value])
      )
    })
  }

  test("messages of Java's producer are read with each of its codecs", { skip: noJava }, async () => {
    const topics: Record<string, string> = {}
    for (const codec of codecs) topics[codec] = await createTopic(kafka.client, codec)
    await produceWithJava(kafka.brokers, topics, values)
    for (const [codec, topic] of Object.entries(topics)) {
      const found = await readAll(kafka.client, topic)
      assert.deepEqual(
        found.map(({ value }) => String(value)),
        values,
        codec
      )
    }
  })

  test('a message that the broker refuses fails at once, with an error that cannot be retried', async () => {
    const topic = uniqueName('small')
    await kafka.client.ensureTopics([
      { name: topic, partitions: 1, replicas: 1, settings: { 'max.message.bytes': '1000' } }
    ])
    const producer = await kafka.client.producer()
    const noise = Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * i * 31 + (i >> 3)) & 255))
    await assert.rejects(producer.send(topic, [{ key: 'k', value: noise }]), (error) => {
      assert.ok(error instanceof RingsideError)
      assert.equal(error.canRetry, false)
      assert.match(error.message, /cannot send 1 message\(s\) to small-/)
      return true
    })
    await producer.send(topic, [{ key: 'k', value: Buffer.from('fits') }])
    await producer.close()
    assert.equal((await readAll(kafka.client, topic)).length, 1)
  })

  test('an idle client sets few timers, and none with a negative delay', async () => {
    const topic = await createTopic(kafka.client, 'idle')
    await send(topic, numbered(1))
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const producer = await kafka.client.producer()
    await producer.send(topic, [{ key: 'k', value: Buffer.from('v') }])
    const { consumer } = await consume({ group: uniqueName('g'), topics: [topic] })
    await consumer.caughtUp()
    const { setTimeout } = globalThis
    let timers = 0
    globalThis.setTimeout = Object.assign((...args: Parameters<typeof setTimeout>) => {
      timers += 1
      return setTimeout(...args)
    }, setTimeout)
    await delay(1000)
    globalThis.setTimeout = setTimeout
    process.removeListener('warning', onWarning)
    await producer.close()
    await consumer.close()
    // Unpatched, kafkajs sets some 850.
    assert.ok(timers < 100, `${timers} timers in a second`)
    assert.deepEqual(
      warnings.filter(({ name }) => name === 'TimeoutNegativeWarning'),
      []
    )
  })
})

test('without a broker that answers, ping fails within seconds with UNAVAILABLE', { timeout: 60_000 }, async () => {
  const client = createKafkaClient({ brokers: ['127.0.0.1:1'], clientId: 'ringside-test', log: testLog })
  await assert.rejects(client.ping(), (error) => {
    assert.ok(error instanceof RingsideError)
    assert.equal(error.code, 'UNAVAILABLE')
    assert.equal(error.canRetry, true)
    assert.match(error.message, /127\.0\.0\.1:1/)
    return true
  })
})
