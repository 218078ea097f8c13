import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HandlerModule, StatefulHandler } from '../../../consumer/handler.ts'
import type { ConsumerOptions, KafkaClient } from '../../../wire/client.ts'
import { decode } from '../../../wire/codec.ts'
import { kafkaMissing, readAll, withKafka } from '../../support/kafka.ts'
import { samples } from '../../support/records.ts'
import { loopsOn, messageOf, toMine } from '../support/loops.ts'

describe('the consume loop', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()
  const { createTopics, publish, start, mine } = loopsOn(kafka)

  test('publishes each output of a handler to its topic with its key, and counts it', async () => {
    const topicPrefix = await createTopics()
    await publish(topicPrefix, [messageOf(1), messageOf(2)])
    const { Rollup: rollup, Alert: alert, AuditRecord: audit } = samples
    const loop = await start(topicPrefix, (batch) => [
      { to: 'rollups', value: rollup },
      { to: 'alerts', value: { ...alert, revision: batch.batch } },
      { to: 'audit', value: audit },
      toMine(topicPrefix, 'a', { batch: batch.batch }),
      toMine(topicPrefix, 'b', Buffer.from('raw'))
    ])
    await loop.drain()
    await loop.done
    assert.deepEqual(loop.counters(), {
      batches: 2,
      events: 4,
      replayed: 0,
      duplicates: 0,
      rejected: 0,
      rollups: 2,
      alerts: 1,
      hosts: 0,
      alertUpdates: 1,
      audit: 2,
      other: 4,
      deadletters: 0,
      lagRecords: 0,
      crashes: 0,
      rejoins: 0
    })
    assert.deepEqual(await mine(topicPrefix), ['{"batch":1}', 'raw', '{"batch":2}', 'raw'])
    const [firstRollup] = await readAll(kafka.client, `${topicPrefix}rollups`)
    assert.equal(firstRollup?.key, `${rollup.host}/${rollup.workload}`)
    assert.deepEqual(decode('Rollup', firstRollup?.value ?? Buffer.alloc(0)), rollup)
    const [firstAlert] = await readAll(kafka.client, `${topicPrefix}alerts`)
    assert.equal(firstAlert?.key, `${alert.rule}/${alert.entity}`)
    const [firstAudit] = await readAll(kafka.client, `${topicPrefix}audit`)
    assert.equal(firstAudit?.key, audit.host)
  })

  test('counters of handlers are summed over partitions and survive a revocation', async () => {
    const topicPrefix = await createTopics({}, 2)
    const callbacks: ConsumerOptions[] = []
    const client: KafkaClient = {
      ...kafka.client,
      consumer: (options) => {
        callbacks.push(options)
        return kafka.client.consumer(options)
      }
    }
    const create = (): StatefulHandler => {
      let odd = 0
      return {
        handle: ({ batch }) => {
          odd += batch % 2
          return []
        },
        checkpoint: () => ({ resumeOffset: undefined, metadata: '' }),
        restore: () => {},
        counters: () => ({ odd, events: 1000 })
      }
    }
    await publish(
      topicPrefix,
      Array.from({ length: 20 }, (_, batch) => ({ ...messageOf(batch), key: `host-${batch}` }))
    )
    const loop = await start(topicPrefix, { create }, client)
    for (let i = 0; loop.counters().batches < 20 && i < 1000; i++) await delay(10)
    assert.equal(loop.counters()['odd'], 10)
    for (const partition of [0, 1]) callbacks[0]?.onRevoked({ topic: `${topicPrefix}events`, partition })
    assert.equal(loop.counters()['odd'], 10)
    assert.equal(loop.counters().events, 40, 'a counter of the loop hides one of a handler')
    await loop.stop()
    assert.equal(loop.counters()['odd'], 10)
  })

  test('after a revocation in mid-batch, nothing more of the partition is handled, published or committed', async () => {
    const topicPrefix = await createTopics()
    await publish(
      topicPrefix,
      Array.from({ length: 10 }, (_, i) => messageOf(i))
    )
    let revoke: (() => void) | undefined
    const client: KafkaClient = {
      ...kafka.client,
      consumer: (options) => {
        revoke = () => options.onRevoked({ topic: `${topicPrefix}events`, partition: 0 })
        return kafka.client.consumer(options)
      }
    }
    const handled: number[] = []
    const first = await start(
      topicPrefix,
      ({ batch }) => {
        handled.push(batch)
        if (batch === 3) revoke?.()
        return [toMine(topicPrefix, 'k', batch)]
      },
      client
    )
    for (let i = 0; handled.length < 4 && i < 1000; i++) await delay(10)
    await first.stop()
    assert.deepEqual(handled, [0, 1, 2, 3])
    const second = await start(topicPrefix, ({ batch }) => [toMine(topicPrefix, 'k', batch)])
    await second.drain()
    assert.deepEqual(
      await mine(topicPrefix),
      Array.from({ length: 10 }, (_, i) => String(i))
    )
  })

  test('a restart continues after stop() without a gap or a duplicate', async () => {
    const topicPrefix = await createTopics()
    await publish(
      topicPrefix,
      Array.from({ length: 200 }, (_, i) => messageOf(i))
    )
    let handled = 0
    const slow: HandlerModule = async ({ batch }) => {
      handled += 1
      await delay(5)
      return [toMine(topicPrefix, 'k', batch)]
    }
    const first = await start(topicPrefix, slow)
    for (let i = 0; handled < 20 && i < 1000; i++) await delay(10)
    await first.stop()
    assert.ok(handled < 200, 'it stopped before the end')
    const second = await start(topicPrefix, slow)
    await second.drain()
    assert.deepEqual(
      await mine(topicPrefix),
      Array.from({ length: 200 }, (_, i) => String(i))
    )
  })

  test('a group that started at the end reads, after a restart, the messages sent in between', async () => {
    const topicPrefix = await createTopics()
    const copy: HandlerModule = ({ batch }) => [toMine(topicPrefix, 'k', batch)]
    await publish(topicPrefix, [messageOf(1)])
    const first = await start(topicPrefix, copy, kafka.client, 'latest')
    await first.drain()
    await publish(topicPrefix, [messageOf(2)])
    const second = await start(topicPrefix, copy, kafka.client, 'latest')
    await second.drain()
    assert.deepEqual(await mine(topicPrefix), ['2'])
  })

  test('a fenced loop rejoins the group, and every output is published once', async () => {
    const topicPrefix = await createTopics()
    const loop = await start(topicPrefix, ({ batch }) => [toMine(topicPrefix, 'k', batch)])
    await publish(topicPrefix, [messageOf(1)])
    for (let i = 0; loop.counters().other < 1 && i < 3000; i++) await delay(20)
    const [group, topic, partition] = [`${topicPrefix}test`, `${topicPrefix}events`, 0]
    const other = await kafka.client.transactional({ id: `${group}/${topic}/${partition}`, group, topic, partition })
    await publish(topicPrefix, [messageOf(2), messageOf(3)])
    await loop.drain()
    await other.close()
    assert.deepEqual(await mine(topicPrefix), ['1', '2', '3'])
  })

  test('a handler that cannot be created ends the loop with its error', async () => {
    const topicPrefix = await createTopics()
    const create = () => {
      throw new Error('no rules')
    }
    const loop = await start(topicPrefix, { create })
    await assert.rejects(loop.done, /no rules/)
    await loop.stop()
  })
})
