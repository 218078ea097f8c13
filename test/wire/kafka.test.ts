// Contract of wire/client.ts, part 1: every Kafka client that is to replace kafkajs must pass these tests.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { RingsideError } from '../../runtime/errors.ts'
import type { Commit, ConsumerOptions, FetchedBatch } from '../../wire/client.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { createTopic, expectReadable, kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { eventually } from '../support/ringside.ts'
import { cutOnce } from './support/cut-connections.ts'
import { javaMissing, produceWithJava } from './support/java-producer.ts'

const run = promisify(execFile)
const hasKcat = await run('kcat', ['-V']).then(
  () => true,
  () => false
)

const noJava = await javaMissing()

describe('a Kafka client', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()

  const send = async (topic: string, messages: { key: string; value: string }[]): Promise<void> => {
    const producer = await kafka.client.producer()
    await producer.send(topic, messages.map(toMessage))
    await producer.close()
  }

  const toMessage = ({ key, value }: { key: string; value: string }) => ({ key, value: Buffer.from(value) })

  const numbered = (count: number, keys = 1) =>
    Array.from({ length: count }, (_, i) => ({ key: `k${i % keys}`, value: `v${i}` }))

  /** A consumer that records its callbacks. */
  const consume = async (options: Pick<ConsumerOptions, 'group' | 'topics'> & Partial<ConsumerOptions>) => {
    const started: { partition: number; committed: Commit | undefined }[] = []
    const batches: FetchedBatch[] = []
    const consumer = await kafka.client.consumer({
      from: 'earliest',
      onStart: async ({ partition, committed }) => {
        started.push({ partition, committed })
      },
      onRevoked: () => {},
      onBatch: async (batch) => {
        batches.push(batch)
      },
      onUnreadable: async (batch) => expectReadable(batch),
      ...options
    })
    const values = () => batches.flatMap(({ messages }) => messages.map(({ value }) => String(value)))
    return { consumer, started, batches, values }
  }

  const commitFor = async (group: string, commit: Commit): Promise<void> => {
    const { topic, partition } = commit
    const producer = await kafka.client.transactional({ id: uniqueName('id'), group, topic, partition })
    await producer.transact(async () => {}, commit)
    await producer.close()
  }

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

  test('another client reads the zstd compression', { skip: !hasKcat && 'kcat is missing' }, async () => {
    const topic = await createTopic(kafka.client, 'zstd')
    const value = 'abc'.repeat(10_000)
    await send(topic, [{ key: 'k', value }])
    const args = ['-b', kafka.brokers.join(','), '-C', '-t', topic, '-e', '-q', '-d', 'msg']
    const { stdout, stderr } = await run('kcat', args)
    assert.equal(stdout.trim(), value)
    assert.match(stderr, /zstd/i)
  })

  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
  const values = Array.from({ length: 500 }, (_, i) => `${i} ${'ringside'.repeat(i % 40)}`)

  for (const codec of codecs) {
    const missing = !hasKcat && 'kcat is missing'
    test(`messages that librdkafka compresses with ${codec} are read`, { skip: missing }, async () => {
      const topic = await createTopic(kafka.client, 'kcat')
      const child = run('kcat', ['-b', kafka.brokers.join(','), '-P', '-t', topic, '-z', codec, '-K', ':'])
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

  test('a read leaves no consumer group behind', { skip: !hasKcat && 'kcat is missing' }, async () => {
    const topic = await createTopic(kafka.client, 'groups')
    await send(topic, numbered(1))
    await readAll(kafka.client, topic)
    const { stdout } = await run('kcat', ['-b', kafka.brokers.join(','), '-L', '-J'])
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
