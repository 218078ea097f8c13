// The edge with a spool, and the edge that takes over: what was durable is never published as new.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventHeaderBytes } from '../../bpf/event.ts'
import type { EventBatch } from '../../wire/types.ts'
import { withoutDuplicates } from '../consumer/support/batches.ts'
import { FakeKernel } from '../support/fake-kernel.ts'
import { temporaryDirectory } from '../support/ringside.ts'
import { assertAccounted, dropped, now, start, summariesOf, totals, until } from './support/edge-run.ts'

const mapOf = (batches: readonly EventBatch[]): Map<string, number> =>
  new Map(batches.flatMap(({ events }) => events.map(({ cpu, seq, ret }) => [`${cpu} ${seq}`, ret])))

test('an edge stopped without Kafka leaves its batches on disk, and the next run publishes them first', {
  timeout: 60_000
}, async (t) => {
  const spoolPath = join(temporaryDirectory(t, 'edge'), 'edge', 'spool.sqlite')
  const first = await start({ batchEvents: 10 }, new FakeKernel(), spoolPath)
  first.kafka.behave = () => new Promise(() => {})
  for (let i = 0; i < 100; i++) first.kernel.emit({ class: 1, timeNs: now() })
  const startedMs = performance.now()
  await first.service.stop()
  assert.ok(performance.now() - startedMs < 20_000)
  const left = first.service.counters()
  assert.deepEqual([left['seen'], left['published'], left['spooled'], left['dropped']], [100, 0, 100, 0])

  const second = await start({ batchEvents: 10 }, new FakeKernel(), spoolPath)
  for (let i = 0; i < 50; i++) second.kernel.emit({ class: 1, timeNs: now() })
  await second.service.drain()
  const { batches } = second.kafka
  const runs = [...new Set(batches.map(({ run }) => run))]
  assert.equal(runs.length, 2)
  const [earlier, own] = runs.map((run) => batches.filter((batch) => batch.run === run)) as [EventBatch[], EventBatch[]]
  assert.deepEqual([...earlier, ...own], batches, 'one run after the other')
  assertAccounted(earlier, { seen: 100, published: 100, dropped: 0 })
  assertAccounted(own, second.service.counters())
  const counters = second.service.counters()
  assert.deepEqual([counters['published_earlier'], counters['spooled'], counters['spoolBytes']], [100, 0, 0])
})

test('batches that Kafka stored without acknowledging are sent again by the next run, and recognised as duplicates', {
  timeout: 60_000
}, async (t) => {
  const spoolPath = join(temporaryDirectory(t, 'edge'), 'edge', 'spool.sqlite')
  const first = await start({ batchEvents: 10 }, new FakeKernel(), spoolPath)
  first.kafka.answer = () => new Promise(() => {})
  for (let i = 0; i < 100; i++) first.kernel.emit({ ret: BigInt(i), timeNs: now() })
  await first.service.stop()
  assert.equal(first.service.counters()['spooled'], 100)
  const second = await start({}, new FakeKernel(), spoolPath)
  await second.service.drain()
  const topic = [...first.kafka.batches, ...second.kafka.batches]
  const kept = withoutDuplicates(topic)
  assert.ok(kept.length < topic.length)
  assert.deepEqual(
    kept.flatMap(({ events }) => events.map(({ ret }) => ret)),
    Array.from({ length: 100 }, (_, i) => i)
  )
  assert.equal(second.service.counters()['published_earlier'], 100)
})

test('during a long outage a full spool evicts the least important events, and declares them exactly', {
  timeout: 120_000
}, async (t) => {
  const spoolPath = join(temporaryDirectory(t, 'edge'), 'edge', 'spool.sqlite')
  const edge = { batchEvents: 200, spool: { enabled: true, maxBytes: 16 << 20 } }
  const { kernel, kafka, service } = await start(edge, new FakeKernel(), spoolPath)
  let open = (): void => {}
  const away = new Promise<void>((resolve) => {
    open = resolve
  })
  kafka.behave = () => away
  const path = `/${'x'.repeat(3000)}`
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 100; i++) kernel.emit({ class: round % 20 === 0 ? 1 : 3, path, timeNs: now() })
    await sleep(30)
    if (round % 20 === 0) await sleep(150)
  }
  await until(() => (service.counters()['dropped_spool_full'] ?? 0) > 0 && service.counters()['backlogBytes'] === 0)
  assert.ok((service.counters()['spoolBytes'] as number) <= 8 << 20)
  open()
  await service.drain()
  const counters = service.counters()
  const { covered, events, drops } = totals(kafka.batches)
  assert.equal(covered, 6_000)
  assert.equal(events + dropped(drops), covered)
  assert.deepEqual(
    [counters['seen'], counters['published'], counters['spooled'], counters['dropped']],
    [covered, events, 0, dropped(drops)]
  )
  assert.equal(counters['dropped_spool_full'], drops['io spool_full'])
  assert.equal(drops['network spool_full'], undefined)
})

test('a batch is released once Kafka acknowledges it, and not before', async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 10 })
  let open = (): void => {}
  const away = new Promise<void>((resolve) => {
    open = resolve
  })
  kafka.behave = () => away
  for (let i = 0; i < 100; i++) kernel.emit({ cpu: i % 2, class: i % 4, timeNs: now() })
  await until(() => kafka.inFlight === 1)
  await sleep(100)
  assert.deepEqual(
    kernel.released.map(({ account }) => account.batch),
    [0]
  )
  open()
  await service.drain()
  const last = kernel.released.at(-1)
  assert.deepEqual(last?.account, {
    run: kafka.batches[0]?.run,
    batch: kafka.batches.length,
    closed: [
      { cpu: 0, seq: 1_050 },
      { cpu: 1, seq: 2_050 }
    ],
    declared: [0, 0, 0, 0],
    events: [25, 25, 25, 25]
  })
  // A ring has 8 bytes before each record, BPF_RINGBUF_HDR_SZ.
  const half = 50 * (eventHeaderBytes + 8)
  assert.deepEqual(last.mark, { process: 0, security: half, rest: half, summaries: 0 })
})

test('a batch is released once the spool has it', { timeout: 60_000 }, async (t) => {
  const spoolPath = join(temporaryDirectory(t, 'edge'), 'edge', 'spool.sqlite')
  const { kernel, kafka, service } = await start({}, new FakeKernel(), spoolPath)
  kafka.behave = () => new Promise(() => {})
  for (let i = 0; i < 100; i++) kernel.emit({ class: 1, timeNs: now() })
  await until(() => kernel.released.at(-1)?.account.events[1] === 100)
  assert.equal(service.counters()['spooled'], 100)
  await service.stop()
})

test('a new edge continues after the durable batches of a dead one: every event comes once or is declared, duplicates aside', {
  timeout: 60_000
}, async (t) => {
  const kernel = new FakeKernel()
  const first = await start({ batchEvents: 20 }, kernel)
  t.after(() => first.service.stop())
  let made = 0
  const emit = (count: number, room = true): void => {
    for (let i = 0; i < count; i++) {
      kernel.emit({ cpu: made % 3, class: made % 4, ret: BigInt(made++), timeNs: now() }, room)
    }
  }
  emit(100)
  kernel.count({ pid: 7 }, 1_000)
  await until(() => first.kafka.batches.some(({ events }) => events.some(({ ret }) => ret === 99)))
  // Stored but never acknowledged: later batches are not durable.
  first.kafka.answer = () => new Promise(() => {})
  emit(10)
  emit(5, false)
  emit(90)
  await until(
    () => kernel.pressure > 0 || first.kafka.batches.some(({ events }) => events.some(({ ret }) => ret > 110))
  )
  await sleep(300)
  const left = kernel.released.at(-1)?.account

  const second = await start({ batchEvents: 20 }, kernel.successor())
  emit(50)
  kernel.count({ pid: 8 }, 2_000)
  await sleep(100)
  await second.service.drain()
  const [begin] = second.kafka.batches
  assert.deepEqual(begin?.continues, { run: left?.run, batch: left?.batch })
  assert.deepEqual(
    second.kafka.batches.slice(1).filter(({ continues }) => continues !== null),
    []
  )
  const durable = first.kafka.batches.filter(({ batch }) => batch <= (left?.batch as number))
  const both = [...durable, ...second.kafka.batches]
  const seen = mapOf([...first.kafka.batches, ...second.kafka.batches])
  assert.equal(seen.size, made - 5)
  assert.equal(both.flatMap(({ events }) => events).length, made - 5, 'no event twice except duplicates')
  const { covered, events, drops } = totals(both)
  assert.equal(covered, made)
  assert.equal(covered, events + dropped(drops))
  assert.equal(dropped(drops), 5)
  assert.deepEqual(
    summariesOf(both).map(({ seq, count }) => [seq, count]),
    [
      [1, 1_000],
      [2, 2_000]
    ]
  )
  for (let cpu = -1; cpu < 3; cpu++) {
    const ranges = both.flatMap(({ sequences }) => sequences.filter((range) => range.cpu === cpu))
    for (let i = 1; i < ranges.length; i++) assert.equal(ranges[i]?.first, (ranges[i - 1]?.last as number) + 1)
  }
})
