import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { auditModule } from '../../consumer/audit/audit.ts'
import type { HandlerModule } from '../../consumer/handler.ts'
import { Rollups, rollupsModule } from '../../consumer/rollups/rollups.ts'
import { startConsumer } from '../../consumer/service.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { decode, encode } from '../../wire/codec.ts'
import { columnsOf } from '../../wire/columns-of.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import type { EventBatch } from '../../wire/types.ts'
import { batchOf, contextOf, eventOf, processOf } from '../consumer/support/batches.ts'
import { highestRevisions } from '../consumer/support/call-streams.ts'
import { kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'

const hosts = 7
const batchesPerHost = 150
const epochUs = 1_767_225_600_000_000

/** The batches of a host, 0.25 s apart: calls of three processes, some of them three seconds late. */
const streamOf = (host: string): EventBatch[] =>
  Array.from({ length: batchesPerHost }, (_, i) =>
    batchOf({
      host,
      run: `run of ${host}`,
      batch: i + 1,
      final: i === batchesPerHost - 1,
      clock: { monotonic_us: 1e9 + i * 250_000, wall_us: epochUs + i * 250_000 },
      processes: [1, 2, 3].map((pid) => processOf({ pid, start_us: pid })),
      events: Array.from({ length: 6 }, (_, n) =>
        eventOf({
          syscall: n % 2 === 0 ? 'connect' : 'bind',
          process: n % 3,
          seq: i * 6 + n,
          time_offset_ns: -(i % 5 === 0 ? 3e9 : 1e8) - n * 1e6,
          duration_ns: 1000 * (n + 1) + i
        })
      )
    })
  )

describe('while partitions move between instances of a service', {
  skip: await kafkaMissing(),
  timeout: 180_000
}, () => {
  const kafka = withKafka()

  test('no event is lost or counted twice: rollups equal those of one instance, and audit has every event', async () => {
    const topicPrefix = `${uniqueName('moves')}.`
    const config = loadConfig({ brokers: [...kafka.brokers], topicPrefix }, undefined, {})
    await kafka.client.ensureTopics(topicSpecifications(config))
    const streams = Array.from({ length: hosts }, (_, i) => streamOf(`host-${i}`))

    const start = async () => {
      const modules: [string, HandlerModule][] = [
        ['rollups', rollupsModule(config.rollups)],
        ['audit', auditModule()]
      ]
      return Promise.all(modules.map(([name, module]) => startConsumer({ name, module, config, log: testLog })))
    }
    const producer = await kafka.client.producer()
    const publishing = (async () => {
      for (let i = 0; i < batchesPerHost; i++) {
        const messages = streams.map((stream) => stream[i] as EventBatch)
        await producer.send(
          topicName(config, 'events'),
          messages.map((batch) => ({ key: batch.host, value: encode('EventBatch', batch) }))
        )
        await delay(40)
      }
    })()

    const first = await start()
    await delay(1500)
    const second = await start()
    await delay(1500)
    for (const service of first) await service.stop()
    const third = await start()
    await publishing
    await producer.close()
    await Promise.all([...second, ...third].map((service) => service.drain()))

    const reference = streams.flatMap((stream) => {
      const handler = new Rollups(config.rollups)
      return stream.flatMap((batch, offset) =>
        handler
          .handle(columnsOf(batch), contextOf(BigInt(offset)))
          .flatMap((output) => (output.to === 'rollups' ? output.value : []))
      )
    })
    const published = await readAll(kafka.client, topicName(config, 'rollups'))
    const found = highestRevisions(published.map(({ value }) => decode('Rollup', value)))
    assert.deepEqual(found, highestRevisions(reference))

    const audited = (await readAll(kafka.client, topicName(config, 'audit'))).map(({ value }) =>
      decode('AuditRecord', value)
    )
    const names = audited.map(({ host, seq }) => `${host} ${seq}`)
    assert.equal(new Set(names).size, hosts * batchesPerHost * 6)
    assert.equal(names.length, hosts * batchesPerHost * 6, 'none is there twice')
    assert.deepEqual(await readAll(kafka.client, topicName(config, 'deadletter')), [])
  })
})
