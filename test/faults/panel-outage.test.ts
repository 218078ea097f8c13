// The panel with an open page, before Kafka starts, while it runs, during an outage, and after it.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startPanel } from '../../consumer/panel/panel.ts'
import { type LocalKafka, startLocalKafka } from '../../deploy/kafka/local-kafka.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { encode } from '../../wire/codec.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import { Page } from '../consumer/panel/support/page.ts'
import { row } from '../consumer/panel/support/rows.ts'
import { localKafkaMissing } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { eventually, freePort } from '../support/ringside.ts'

test('during an outage of Kafka the page has the reason, and afterwards continues where it was', {
  skip: await localKafkaMissing(),
  timeout: 180_000
}, async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-faults-'))
  const port = await freePort()
  const brokers = [`127.0.0.1:${port}`]
  const config = { ...loadConfig({ panel: { listen: '0' } }, undefined, {}), brokers }
  const client = createKafkaClient({ brokers, clientId: 'ringside-test', log: testLog })
  const start = () => startLocalKafka({ stateDir, port, heapMb: 256, log: testLog })
  let kafka: LocalKafka | undefined
  const panel = await startPanel({ config, log: testLog })
  t.after(async () => {
    await panel.stop()
    await kafka?.stop()
    await rm(stateDir, { recursive: true, force: true })
  })

  const page = await Page.open(panel.url)
  const startS = Math.floor(Date.now() / 1000) - 60
  page.watch({ fromMs: startS * 1000 })
  const send = async (second: number): Promise<void> => {
    const producer = await client.producer()
    await producer.send(topicName(config, 'rollups'), [{ key: 'k', value: encode('Rollup', row(startS + second)) }])
    await producer.close()
  }
  const points = (count: number) =>
    eventually(`${count} points`, 60, () => (page.points.size === count ? true : undefined))
  const isOutage = (reason: string | null): boolean => reason?.includes('does not answer') === true

  await page.message('stale', ({ reason }) => isOutage(reason))
  kafka = await start()
  await page.message('stale', ({ reason }) => reason?.includes('topics create') === true)
  await client.ensureTopics(topicSpecifications(config))
  await send(1)
  await points(1)
  await page.message('stale', ({ reason }) => reason === null)

  page.messages.length = 0
  await kafka.stop()
  await page.message('stale', ({ reason }) => isOutage(reason))
  kafka = await start()
  await send(2)
  await points(2)
  await eventually('the end of the outage', 60, () => {
    const last = page.messages.findLast(({ type }) => type === 'stale')
    return (last?.type === 'stale' && last.reason === null) || undefined
  })
  assert.equal(panel.counters()['rows'], 2)
  await page.close()
})
