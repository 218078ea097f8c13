import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadHandlerModule, startConsumer } from '../../consumer/service.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { encode } from '../../wire/codec.ts'
import { topicSpecifications } from '../../wire/topics.ts'
import { kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { eventually } from '../support/ringside.ts'
import { batchOf, eventOf } from './support/batches.ts'

const dir = mkdtempSync(join(tmpdir(), 'ringside-handlers-'))
after(() => rmSync(dir, { recursive: true }))

const write = (name: string, text: string): string => {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

const refusal = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RingsideError)
  assert.equal(error.code, code)
  assert.match(error.message, message)
  return true
}

test('a handler module is a function, or a factory of handlers', async () => {
  assert.equal(typeof (await loadHandlerModule(write('function.ts', 'export default () => []'))), 'function')
  const factory = await loadHandlerModule(write('factory.ts', 'export default { create: () => ({}) }'))
  assert.equal(typeof factory, 'object')
  const byInput = write('by-input.ts', 'export default { handlers: { columns: () => ({}) } }')
  assert.equal(typeof (await loadHandlerModule(byInput)), 'object')
  const example = join(import.meta.dirname, '../../examples/handlers/failed-connects.ts')
  assert.equal(typeof (await loadHandlerModule(example)), 'function')
})

test('a missing handler file, one that does not load, and one without a handler give different errors', async () => {
  const absent = join(dir, 'absent.ts')
  await assert.rejects(loadHandlerModule(absent), refusal('NO_INPUT', /handler file .*absent\.ts does not exist/))
  const broken = write('broken.ts', "throw new Error('at home')")
  await assert.rejects(loadHandlerModule(broken), refusal('DATA', /does not load: at home/))
  const lacking = write('lacking.ts', "import './not-there.ts'\nexport default () => []")
  await assert.rejects(loadHandlerModule(lacking), refusal('DATA', /does not load: .*not-there/))
  const wrong = write('wrong.ts', 'export default { handlers: { columns: [] } }')
  await assert.rejects(loadHandlerModule(wrong), refusal('DATA', /exports object as default: .* or \{ handlers \}/))
  const mute = write('mute.ts', 'export const handler = () => []')
  await assert.rejects(loadHandlerModule(mute), refusal('DATA', /exports undefined as default: export a function/))
})

describe('a consumer service', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()

  test('instances of one name divide the partitions among them, and drain handles every message', async () => {
    const topicPrefix = `${uniqueName('service')}.`
    const config = loadConfig({ brokers: [...kafka.brokers], topicPrefix }, undefined, {})
    await kafka.client.ensureTopics(topicSpecifications(config))
    const output = `${topicPrefix}alerts.copy`
    await kafka.client.ensureTopics([{ name: output, partitions: 1, replicas: 1, settings: {} }])
    const options = {
      name: 'copies',
      config,
      log: testLog,
      module: ({ host }: { host: string }) => [{ to: 'topic', topic: output, key: host, value: host } as const]
    }
    const services = await Promise.all([startConsumer(options), startConsumer(options)])
    const hosts = Array.from({ length: 60 }, (_, i) => `host-${i}`)
    const producer = await kafka.client.producer()
    const messages = hosts.map((host) => ({
      key: host,
      value: encode('EventBatch', batchOf({ host, events: [eventOf(), eventOf(), eventOf()] }))
    }))
    await producer.send(`${topicPrefix}events`, messages)
    await producer.close()
    await Promise.all(services.map((service) => service.drain()))
    await Promise.all(services.map((service) => service.done))
    const copies = await readAll(kafka.client, output)
    assert.deepEqual([...new Set(copies.map(({ key }) => key))].toSorted(), hosts.toSorted())
    const sum = (name: string) => services.reduce((total, service) => total + (service.counters()[name] ?? 0), 0)
    assert.equal(sum('other'), copies.length)
    assert.equal(sum('events'), 3 * sum('batches'))
    assert.equal(sum('lagRecords'), 0)
  })

  test('a service is ready once it has joined; while it hangs, its lag grows as the broker has it', async () => {
    const topicPrefix = `${uniqueName('stuck')}.`
    const config = loadConfig({ brokers: [...kafka.brokers], topicPrefix, kafka: { partitions: 1 } }, undefined, {})
    await kafka.client.ensureTopics(topicSpecifications(config))
    const hanging = Promise.withResolvers<[]>()
    const service = await startConsumer({ name: 'stuck', config, log: testLog, module: () => hanging.promise })
    assert.match(service.problems().join(), /not a member of the consumer group: no join yet/)
    await eventually('the join', 60, () => (service.problems().length === 0 ? true : undefined))
    const publish = async (count: number): Promise<void> => {
      const producer = await kafka.client.producer()
      for (let batch = 0; batch < count; batch++)
        await producer.send(`${topicPrefix}events`, [{ key: 'h', value: encode('EventBatch', batchOf({ batch })) }])
      await producer.close()
    }
    await publish(1)
    await eventually('the handler', 60, () => (service.counters()['batches'] === 1 ? true : undefined))
    await publish(3)
    const metricOf = (name: string): number | undefined => {
      const family = service.metrics?.find((each) => each.name === `ringside_consumer_${name}`)
      const [sample] = family !== undefined && family.kind !== 'histogram' ? family.samples() : []
      return sample?.value
    }
    await eventually('the lag', 60, () => (metricOf('lag_messages') === 4 ? true : undefined))
    await eventually('the stall', 60, () => ((metricOf('stalled_seconds') ?? 0) > 1 ? true : undefined))
    assert.deepEqual([metricOf('member'), metricOf('crashes_total'), metricOf('rejoins_total')], [1, 0, 0])
    hanging.resolve([])
    await service.drain()
    assert.equal(service.counters()['events'], 0)
    assert.equal(service.counters()['batches'], 4)
  })
})
