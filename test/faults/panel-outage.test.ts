// The panel with an open page, before Kafka starts, while it runs, during an outage, and after it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPanel } from '../../consumer/panel/panel.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { encode } from '../../wire/codec.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import { Page } from '../consumer/panel/support/page.ts'
import { row } from '../consumer/panel/support/rows.ts'
import { localKafkaMissing } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { OwnKafka } from '../support/own-kafka.ts'
import { eventually } from '../support/ringside.ts'

test('during an outage of Kafka the page has the reason, and afterwards continues where it was', {
  skip: await localKafkaMissing(),
  timeout: 180_000
}, async (t) => {
  const kafka = await OwnKafka.prepare()
  const { brokers, client } = kafka
  const config = { ...loadConfig({ panel: { listen: '0' } }, undefined, {}), brokers: [...brokers] }
  const panel = await startPanel({ config, log: testLog })
  t.after(async () => {
    await panel.stop()
    await kafka.remove()
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
  await kafka.start()
  await page.message('stale', ({ reason }) => reason?.includes('topics create') === true)
  await client.ensureTopics(topicSpecifications(config))
  await send(1)
  await points(1)
  await page.message('stale', ({ reason }) => reason === null)

  page.messages.length = 0
  await kafka.stop()
  await page.message('stale', ({ reason }) => isOutage(reason))
  await kafka.start()
  await send(2)
  await points(2)
  await eventually('the end of the outage', 60, () => {
    const last = page.messages.findLast(({ type }) => type === 'stale')
    return (last?.type === 'stale' && last.reason === null) || undefined
  })
  assert.equal(panel.counters()['rows'], 2)
  await page.close()
})
