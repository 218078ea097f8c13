import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ConsumeLoop } from '../../consumer/loop/consume-loop.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { decode, encode } from '../../wire/codec.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import { batchOf, eventOf } from '../consumer/support/batches.ts'
import { localKafkaMissing, readAll } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { OwnKafka } from '../support/own-kafka.ts'

const timesOf = (seqs: readonly number[]): Map<number, number> => {
  const times = new Map<number, number>()
  for (const seq of seqs) times.set(seq, (times.get(seq) ?? 0) + 1)
  return times
}

const skip = await localKafkaMissing()

describe('while a broker goes away and comes back', { skip, timeout: 180_000 }, async () => {
  const kafka = await OwnKafka.prepare()
  const { client } = kafka
  const config = loadConfig({ topicPrefix: 'faults.' }, undefined, {})
  const copies = 'faults.copies'
  after(() => kafka.remove())

  const messageOf = (seq: number) => {
    const host = `host-${seq % 5}`
    return { key: host, value: encode('EventBatch', batchOf({ host, batch: seq + 1, events: [eventOf({ seq })] })) }
  }

  test('a producer created without Kafka sends once Kafka runs', async () => {
    const producer = await client.producer()
    let isSent = false
    const sending = (async () => {
      for (;;) {
        try {
          return await producer.send('faults.early', [{ key: 'k', value: Buffer.from('early') }])
        } catch (error) {
          assert.ok(error instanceof RingsideError)
          assert.equal(error.code, 'UNAVAILABLE')
          assert.equal(error.canRetry, true)
        }
      }
    })().then(() => {
      isSent = true
    })
    await delay(1000)
    assert.equal(isSent, false)
    await kafka.start()
    const plain = (name: string) => ({ name, partitions: 1, replicas: 1, settings: {} })
    await client.ensureTopics([...topicSpecifications(config), plain('faults.early'), plain(copies)])
    await sending
    await producer.close()
    assert.equal((await readAll(client, 'faults.early')).length, 1)
  })

  test('producer and consumer continue by themselves, and every acknowledged message is consumed', async () => {
    const loop = await ConsumeLoop.start({
      service: 'copies',
      group: 'faults.copies',
      module: (batch) => batch.events.map(({ seq }) => ({ to: 'topic', topic: copies, key: batch.host, value: seq })),
      client,
      config,
      from: 'earliest',
      log: testLog
    })
    const producer = await client.producer()
    const acknowledged = new Set<number>()
    let isOver = false
    const producing = (async () => {
      for (let seq = 0; !isOver; seq++) {
        await producer.send(topicName(config, 'events'), [messageOf(seq)]).then(
          () => acknowledged.add(seq),
          (error: unknown) => assert.ok(error instanceof RingsideError && error.canRetry)
        )
        await delay(10)
      }
    })()

    const untilProduced = async (more: number) => {
      const goal = acknowledged.size + more
      while (acknowledged.size < goal) await delay(20)
    }
    await untilProduced(50)
    // Killed, and away for longer than the retries of one call of kafkajs.
    await kafka.kill()
    await delay(4000)
    await kafka.start()
    await untilProduced(50)
    // Stopped in order.
    await kafka.stop()
    await kafka.start()
    await untilProduced(50)
    isOver = true
    await producing
    await producer.close()
    await loop.drain()
    await loop.done
    // The producer may have stored an event twice; the loop's deduplicator knows only events since it last joined.
    const stored = (await readAll(client, topicName(config, 'events'))).map(
      ({ value }) => decode('EventBatch', value).events[0]?.seq ?? -1
    )
    const copied = timesOf((await readAll(client, copies)).map(({ value }) => Number(value)))
    const times = timesOf(stored)
    assert.deepEqual(
      [...acknowledged].filter((seq) => !copied.has(seq)),
      []
    )
    assert.deepEqual(
      [...copied].filter(([seq, count]) => count > (times.get(seq) ?? 0)),
      [],
      'none is copied more often than it was stored'
    )
    assert.equal(loop.counters().deadletters, 0)
    assert.equal(loop.counters().lagRecords, 0)
  })

  test('a loop stops in bounded time while Kafka is away', async () => {
    const loop = await ConsumeLoop.start({
      service: 'idle',
      group: 'faults.idle',
      module: () => [],
      client,
      config,
      from: 'earliest',
      log: testLog
    })
    while (loop.counters().batches === 0) await delay(20)
    await kafka.kill()
    await delay(500)
    const startedAt = Date.now()
    await loop.stop()
    assert.ok(Date.now() - startedAt < 30_000)
  })
})
