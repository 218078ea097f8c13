// Drift on a real Kafka: rows of the topic rollups become alerts, each revision once, also over restarts.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { alertsModule } from '../../../../consumer/alerts/alerts.ts'
import { Drift } from '../../../../consumer/alerts/drift/drift.ts'
import { ConsumeLoop } from '../../../../consumer/loop/consume-loop.ts'
import { loadConfig } from '../../../../runtime/load-config.ts'
import { decode, encode } from '../../../../wire/codec.ts'
import { topicNames } from '../../../../wire/topics.ts'
import type { Alert } from '../../../../wire/types.ts'
import { kafkaMissing, readAll, uniqueName, withKafka } from '../../../support/kafka.ts'
import { testLog } from '../../../support/log.ts'
import { feed, quickThresholds, rowsOf } from './support/run.ts'
import { streamOf } from './support/streams.ts'

const slow = (from: number, until: number) => (window: number) => (window >= from && window < until ? 150_000 : 50_000)

describe('drift on Kafka', { skip: await kafkaMissing(), timeout: 180_000 }, () => {
  const kafka = withKafka()

  test('each revision of an alert is published once, however often the service restarts', async () => {
    const topicPrefix = `${uniqueName('drift')}.`
    const specifications = topicNames.map((name) => ({
      name: topicPrefix + name,
      partitions: 1,
      replicas: 1,
      settings: {}
    }))
    await kafka.client.ensureTopics(specifications)
    const streams = [slow(60, 80), slow(75, 1000)].map((median, i) =>
      streamOf({ rate: () => 100, median, jitter: 0.05 }, i + 20)
    )
    const rows = [...rowsOf(streams, 0, 130)]
    const { alerts } = loadConfig({}, undefined, {})
    const module = alertsModule({ ...alerts, drift: quickThresholds }, [])
    const producer = await kafka.client.producer()
    const share = Math.ceil(rows.length / 4)
    for (let at = 0; at < rows.length; at += share) {
      const messages = rows.slice(at, at + share).map((row) => ({ key: row.host, value: encode('Rollup', row) }))
      await producer.send(`${topicPrefix}rollups`, messages)
      const loop = await ConsumeLoop.start({
        service: 'alerts',
        group: `${topicPrefix}alerts`,
        module,
        client: kafka.client,
        config: { ...loadConfig({}, undefined, {}), topicPrefix },
        from: 'earliest',
        log: testLog
      })
      await loop.drain()
    }
    await producer.close()
    const plain = (list: readonly Alert[]) => list.map(({ id, revision, count }) => `${id} ${revision} ${count}`)
    const published = (await readAll(kafka.client, `${topicPrefix}alerts`)).map(({ value }) => decode('Alert', value))
    assert.ok(published.length >= 8)
    assert.deepEqual(plain(published), plain(feed(new Drift(quickThresholds), rows)))
  })
})
