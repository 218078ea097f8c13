// The panel over a real Kafka, seen by a client of its WebSocket.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Panel, startPanel } from '../../../consumer/panel/panel.ts'
import { type AuditAnswer, paths } from '../../../consumer/panel/protocol.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import type { Producer } from '../../../wire/client.ts'
import { encode, type Records, type SchemaName } from '../../../wire/codec.ts'
import { Sketch } from '../../../wire/sketch.ts'
import { topicName, topicSpecifications } from '../../../wire/topics.ts'
import type { Rollup } from '../../../wire/types.ts'
import { kafkaMissing, uniqueName, withKafka } from '../../support/kafka.ts'
import { testLog } from '../../support/log.ts'
import { samples } from '../../support/records.ts'
import { eventually } from '../../support/ringside.ts'
import { Page } from './support/page.ts'

describe('the panel over Kafka', { skip: await kafkaMissing(), timeout: 180_000 }, () => {
  const kafka = withKafka()
  const config = loadConfig({ topicPrefix: `${uniqueName('panel')}.`, panel: { listen: '0' } })
  const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 60_000
  let producer: Producer
  let panel: Panel

  const send = (topic: 'rollups' | 'hosts' | 'alerts' | 'audit', name: SchemaName, records: Records[SchemaName][]) =>
    producer.send(
      topicName(config, topic),
      records.map((record) => ({ key: 'k', value: encode(name, record as never) }))
    )

  const rollup = (second: number, more: Partial<Rollup> = {}): Rollup => ({
    ...samples.Rollup,
    window_start: (startMs + second * 1000) * 1000,
    ...more
  })

  before(async () => {
    await kafka.client.ensureTopics(topicSpecifications(config))
    producer = await kafka.client.producer()
    panel = await startPanel({ config: { ...config, brokers: [...kafka.brokers] }, log: testLog })
  })
  after(async () => {
    await panel?.stop()
    await producer?.close()
  })

  test('points are the merged rows of the topic: counts are exact, percentiles are those of the merged distribution', async () => {
    const rows = [0, 1, 2].flatMap((second) => [
      rollup(second),
      rollup(second, {
        host: 'web-2',
        count: 10,
        failed: 1,
        expected: 4,
        max_ns: 99_999,
        latency: [{ index: 500, count: 10 }]
      }),
      rollup(second, { syscall: 'write', count: 7, failed: 0, latency: [{ index: 20, count: 7 }] })
    ])
    await send('rollups', 'Rollup', rows)
    const page = await Page.open(panel.url)
    page.watch({ fromMs: startMs })
    await eventually('three points', 60, () => (page.points.size === 3 ? true : undefined))
    await page.message('stale', ({ reason }) => reason === null)
    for (const point of page.points.values()) {
      const ofWindow = rows.filter(({ window_start }) => window_start === point.timeMs * 1000)
      const sum = (field: 'count' | 'failed' | 'expected') => ofWindow.reduce((total, row) => total + row[field], 0)
      const [p50, p95, p99] = Sketch.of(...ofWindow.map(({ latency }) => latency)).quantiles([0.5, 0.95, 0.99])
      assert.deepEqual(
        {
          ...{ count: point.count, failed: point.failed, expected: point.expected },
          ...{ p50: point.p50, p95: point.p95, p99: point.p99, max: point.max }
        },
        { count: sum('count'), failed: sum('failed'), expected: sum('expected'), p50, p95, p99, max: 99_999 }
      )
      assert.equal(
        point.heat.reduce((total, [, count]) => total + count, 0),
        point.count
      )
    }
    page.points.clear()
    page.watch({ fromMs: startMs, filter: { host: 'web-1', call: 'write' } })
    await eventually('three points of one call', 60, () => (page.points.size === 3 ? true : undefined))
    assert.deepEqual(
      [...page.points.values()].map(({ count, max }) => [count, max]),
      [0, 1, 2].map(() => [7, samples.Rollup.max_ns])
    )
    await page.close()
  })

  test('a page that reconnects gets only the points that it missed', async () => {
    const first = await Page.open(panel.url)
    first.watch({ fromMs: startMs })
    await first.message('points')
    await first.close()
    await send('rollups', 'Rollup', [rollup(30, { count: 3, complete: false }), rollup(31)])
    const second = await Page.open(panel.url)
    second.watch({ fromMs: startMs + 30_000 })
    await eventually('two points', 60, () => (second.points.size === 2 ? true : undefined))
    assert.deepEqual(
      [...second.points.values()].map(({ count, complete }) => [count, complete]),
      [
        [3, false],
        [500, true]
      ]
    )
    await send('rollups', 'Rollup', [rollup(30, { count: 4, revision: 2 })])
    await eventually('the window to close', 60, () => second.points.get(startMs + 30_000)?.complete || undefined)
    assert.equal(second.points.get(startMs + 30_000)?.count, 4)
    assert.equal(second.points.size, 2)
    await second.close()
  })

  test('alerts, hosts, names and lag arrive as they change', async () => {
    const page = await Page.open(panel.url)
    await send('alerts', 'Alert', [samples.Alert])
    await send('hosts', 'HostStatus', [{ ...samples.HostStatus, window_start: startMs * 1000 }])
    assert.deepEqual((await page.message('alerts')).alerts, [samples.Alert])
    const { hosts } = await page.message('hosts', ({ hosts }) => hosts.length > 0)
    assert.deepEqual(hosts[0]?.lost, { ring_full: 7 })
    const never = { messages: null, stalledSeconds: 0, members: 0, joins: 0 }
    assert.deepEqual(
      (await page.message('lag', ({ services }) => services.length > 0)).services,
      ['rollups', 'alerts', 'audit'].map((service) => ({ service, ...never }))
    )
    const names = await page.message('names', ({ workloads }) => workloads.length > 0)
    assert.deepEqual(names.hosts, ['web-1', 'web-2'])
    assert.deepEqual(names.calls, ['read', 'write'])
    await page.close()
  })

  test('the audit log is searched; an invalid query is refused', async () => {
    const rows = [0, 1, 2].map((seq) => ({ ...samples.AuditRecord, seq, time: (startMs + seq) * 1000, pid: 100 + seq }))
    await send('audit', 'AuditRecord', rows)
    const ask = (query: Record<string, string>) =>
      fetch(new URL(`${paths.audit}?${new URLSearchParams(query)}`, panel.url))
    const times = { fromMs: String(startMs), toMs: String(startMs + 2), pid: '' }
    const all = (await (await ask(times)).json()) as AuditAnswer
    assert.deepEqual(all, { rows: rows.slice(0, 2), scanned: 3, stopped: null })
    const some = (await (await ask({ ...times, pid: '101', target: '203.0.113.7:443' })).json()) as AuditAnswer
    assert.deepEqual(some.rows, [rows[1]])
    const refused = await ask({ ...times, pid: 'x', nope: '1' })
    assert.equal(refused.status, 400)
    assert.match(await refused.text(), /pid.*nope/s)
  })
})
