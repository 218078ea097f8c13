// The edge while Kafka fails, is slow or away, without a spool: every event is published, or accounted for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RingsideError } from '../../runtime/errors.ts'
import { FakeKernel } from '../support/fake-kernel.ts'
import type { RawEvent } from '../support/raw-events.ts'
import { assertAccounted, now, start, totals } from './support/edge-run.ts'

test('after failed sends Kafka gets every batch once, in order', async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 20, batchMs: 10 })
  let sends = 0
  kafka.behave = async () => {
    await sleep(1)
    if (sends++ % 3 === 1) throw new RingsideError('UNAVAILABLE', 'no broker answers')
  }
  for (let i = 0; i < 500; i++) {
    kernel.emit({ ret: BigInt(i), timeNs: now() })
    if (i % 50 === 0) await sleep(10)
  }
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
  assert.deepEqual(
    kafka.batches.flatMap((batch) => batch.events.map((event) => event.ret)),
    Array.from({ length: 500 }, (_, i) => i)
  )
  assert.equal(kafka.mostInFlight, 1)
  assert.equal(service.counters()['dropped'], 0)
})

test('a client that keeps failing is replaced', { timeout: 60_000 }, async () => {
  const { kernel, kafka, service } = await start({ batchMs: 10 })
  kafka.behave = async () => {
    if (kafka.producers === 1) throw new Error('stuck')
  }
  kernel.emit({ timeNs: now() })
  await service.drain()
  assert.equal(kafka.producers, 2)
  assertAccounted(kafka.batches, service.counters())
})

test('without Kafka and spool, each ring fills on its own, and memory stays within its bound', async () => {
  const kernel = new FakeKernel()
  kernel.ringBytes = 32 << 20
  const { kafka, service } = await start({ batchEvents: 200 }, kernel)
  let open = (): void => {}
  const away = new Promise<void>((resolve) => {
    open = resolve
  })
  kafka.behave = () => away
  const path = `/${'x'.repeat(4000)}`
  let most = 0
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1_000; i++) kernel.emit({ class: 3, path, timeNs: now() })
    for (let i = 0; i < 100; i++) kernel.emit({ class: 1, path, timeNs: now() })
    await sleep(50)
    most = Math.max(most, service.counters()['backlogBytes'] as number)
  }
  assert.ok(most > 8 << 20 && most < 18 << 20, `${most} bytes`)
  open()
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
  const { drops } = totals(kafka.batches)
  assert.deepEqual(Object.keys(drops), ['io ring_full'])
  assert.ok((drops['io ring_full'] as number) > 5_000)
})

test('a recording waits for a slow Kafka and drops nothing', async () => {
  const recording = new FakeKernel()
  recording.lossless = true
  const { kernel, kafka, service } = await start({}, recording)
  kafka.behave = () => sleep(5)
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, service.counters()['backlogBytes'] as number)
  }, 1)
  for (let i = 0; i < 20_000; i++) kernel.emit({ path: `/${'x'.repeat(2000)}`, timeNs: now() })
  await service.drain()
  clearInterval(watch)
  assertAccounted(kafka.batches, service.counters())
  assert.equal(service.counters()['dropped'], 0)
  assert.ok(most <= 18 << 20, `${most} bytes`)
})

test('with random drops and failures at once, every event is accounted for exactly', { timeout: 120_000 }, async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 100, batchMs: 10 })
  kafka.behave = async () => {
    await sleep(Math.random() * 20)
    if (Math.random() < 0.3) throw new RingsideError('UNAVAILABLE', 'no broker answers')
  }
  const late: RawEvent[] = []
  for (let i = 0; i < 20_000; i++) {
    const given = {
      cpu: Math.floor(Math.random() * 3),
      class: Math.floor(Math.random() * 4),
      path: 'p'.repeat(Math.floor(Math.random() * 300)),
      timeNs: now()
    }
    if (Math.random() < 0.01) late.push(kernel.number(given))
    else kernel.emit(given, Math.random() < 0.9)
    if (late.length > 3) kernel.put(late.shift() as RawEvent)
    if (i % 1_000 === 0) await sleep(10)
  }
  for (const event of late) kernel.put(event)
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
})

test('stop waits some seconds for Kafka, then counts the rest as dropped', { timeout: 60_000 }, async () => {
  const { kernel, kafka, service } = await start()
  kafka.behave = () => new Promise(() => {})
  for (let i = 0; i < 100; i++) kernel.emit({ class: 1, timeNs: now() })
  await service.stop()
  const counters = service.counters()
  assert.deepEqual(
    [counters['seen'], counters['published'], counters['dropped'], counters['dropped_network']],
    [100, 0, 100, 100]
  )
  assert.equal(kernel.closed, true)
})

test('stop waits for a slow Kafka as long as it acknowledges batches', { timeout: 60_000 }, async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 100 })
  kafka.behave = () => sleep(3_000)
  const publishing = new Promise<void>((resolve) => {
    const watch = setInterval(() => {
      if (kafka.inFlight === 0) return
      clearInterval(watch)
      resolve()
    }, 1)
  })
  for (let i = 0; i < 100; i++) kernel.emit({ class: 1, path: 'p'.repeat(4_000), timeNs: now() })
  await publishing
  for (let i = 0; i < 400; i++) kernel.emit({ class: 1, path: 'p'.repeat(4_000), timeNs: now() })
  const startedMs = performance.now()
  await service.stop()
  assert.ok(performance.now() - startedMs > 5_000)
  assertAccounted(kafka.batches, service.counters())
  assert.equal(service.counters()['dropped'], 0)
})

test('an edge with inconsistent statistics ends even while Kafka is away', { timeout: 30_000 }, async () => {
  const { kernel, kafka, service } = await start()
  kafka.behave = () => new Promise(() => {})
  kernel.emit({ timeNs: now() })
  while (kafka.inFlight === 0) await sleep(5)
  const { sequences, ...statistics } = kernel.statistics()
  kernel.statistics = () => ({ ...statistics, sequences: sequences.filter(({ cpu }) => cpu === 0) })
  kernel.emit({ cpu: 1, timeNs: now() })
  await assert.rejects(service.done, { code: 'DATA', message: /CPU 1/ })
  assert.equal(kernel.closed, true)
})
