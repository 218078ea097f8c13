// The edge between a fake kernel and a fake Kafka that is well: every event is published, or accounted for.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { edgeMetrics } from '../../producer/account/metrics.ts'
import type { Reduction } from '../../producer/budget/budget.ts'
import { startEdge } from '../../producer/edge.ts'
import { createRecorder } from '../../producer/source/recorder.ts'
import { openRecording } from '../../producer/source/recording.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { FakeKernel } from '../support/fake-kernel.ts'
import { testLog as log } from '../support/log.ts'
import { rawBytes, rawEvent } from '../support/raw-events.ts'
import { temporaryDirectory } from '../support/ringside.ts'
import { assertAccounted, dropped, FakeKafka, now, start, summariesOf, totals } from './support/edge-run.ts'

test('drain publishes every event in order, in batches of at most the configured size', async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 100 })
  for (let i = 0; i < 1_050; i++) kernel.emit({ cpu: i % 2, ret: BigInt(i), timeNs: now() })
  await service.drain()
  await service.done
  const rets = kafka.batches.flatMap((batch) => batch.events.map((event) => event.ret))
  assert.deepEqual(
    rets,
    Array.from({ length: 1_050 }, (_, i) => i)
  )
  assert.equal(Math.max(...kafka.batches.map((batch) => batch.events.length)), 100)
  assertAccounted(kafka.batches, service.counters())
  assert.equal(service.counters()['batches'], kafka.batches.length)
  assert.equal(kernel.closed, true)
  assert.equal(kafka.messages[0]?.topic, 'ringside.events')
  assert.equal(kafka.messages[0]?.message.key, 'test-host')
})

test('an event is published within a fraction of a second, and a quiet ring publishes its clock', async () => {
  const { kernel, kafka, service } = await start()
  kernel.emit({ timeNs: now() })
  const startedMs = performance.now()
  while (kafka.batches.length === 0 && performance.now() - startedMs < 5_000) await sleep(5)
  assert.equal(kafka.batches[0]?.events.length, 1)
  while (kafka.batches.length < 2 && performance.now() - startedMs < 10_000) await sleep(20)
  assert.deepEqual([kafka.batches[1]?.events.length, kafka.batches[1]?.final], [0, false])
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
})

test('no batch has an event that ended before the clock of the previous batch', async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 50, batchMs: 10 })
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 30; i++) kernel.emit({ cpu: i % 4, timeNs: now() })
    await sleep(10)
  }
  await service.drain()
  let clockUs = 0
  for (const batch of kafka.batches) {
    for (const event of batch.events) {
      assert.ok(batch.clock.monotonic_us + event.time_offset_ns / 1000 >= clockUs)
    }
    clockUs = batch.clock.monotonic_us
    assert.ok(Math.abs(batch.clock.wall_us - batch.clock.monotonic_us - 1_700_000_000_000_000) <= 1)
  }
})

test('events dropped by a full ring are declared by class, exactly', async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 64 })
  const expected = [0, 0, 0, 0]
  for (let i = 0; i < 5_000; i++) {
    const eventClass = Math.floor(Math.random() * 4)
    const room = Math.random() < 0.8
    if (!room) expected[eventClass] = (expected[eventClass] as number) + 1
    kernel.emit({ cpu: Math.floor(Math.random() * 4), class: eventClass, timeNs: now() }, room)
    if (i % 500 === 0) await sleep(15)
  }
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
  const { drops } = totals(kafka.batches)
  assert.deepEqual(
    ['process', 'network', 'file', 'io'].map((name) => drops[`${name} ring_full`]),
    expected
  )
  assert.equal(service.counters()['dropped_ring_full'], dropped(drops))
  assert.equal(service.counters()['dropped_network'], expected[1])
})

test('records that leave the ring out of order are not declared as dropped', async () => {
  const { kernel, kafka, service } = await start({ batchEvents: 1 })
  for (let i = 0; i < 50; i++) {
    const interrupted = kernel.number({ timeNs: now() })
    kernel.emit({ timeNs: now() })
    if (i % 10 === 0) kernel.emit({ timeNs: now() }, false)
    if (i % 5 === 0) await sleep(12)
    kernel.put(interrupted)
  }
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
  assert.deepEqual(totals(kafka.batches).drops, { 'io ring_full': 5 })
})

test('stopping in the middle of a recording drops nothing', async (t) => {
  const path = join(temporaryDirectory(t, 'edge'), 'recording')
  const kernel = new FakeKernel()
  const recorder = createRecorder(kernel, path, log)
  for (let i = 0; i < 1_000; i++) kernel.emit({ timeNs: now() })
  // The statistics of each chunk include events of later chunks.
  const room = new Uint8Array(100 * rawBytes(rawEvent()).length)
  while (recorder.read(room) > 0);
  recorder.close()
  const kafka = new FakeKafka()
  const config = loadConfig({ host: 'test-host' }, undefined, {})
  const service = await startEdge({ config, log, source: openRecording(path), client: kafka })
  await service.stop()
  assertAccounted(kafka.batches, service.counters())
  const { seen, dropped } = service.counters()
  assert.equal(dropped, 0)
  assert.ok((seen as number) > 0 && (seen as number) < 1_000, `${seen} events`)
})

test('untracked calls are counted separately', async () => {
  const { kernel, kafka, service } = await start()
  kernel.emit({ timeNs: now() })
  kernel.untracked = 3
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
  assert.deepEqual([service.counters()['seen'], service.counters()['untracked']], [1, 3])
})

test('invalid records end the edge with an error that names them', async () => {
  const { kernel, kafka, service } = await start()
  kernel.emit({ timeNs: now() })
  kernel.put({ ...kernel.number({}), class: 9 })
  await assert.rejects(service.done, { code: 'DATA', message: /invalid record at byte/ })
  assert.equal(kernel.closed, true)
  assert.deepEqual(kafka.batches, [])
  await service.stop()
})

test('a sequence gap without a counted drop is declared in the final batch', async () => {
  const { kernel, kafka, service } = await start()
  kernel.emit({ timeNs: now() })
  kernel.number({})
  kernel.emit({ timeNs: now() })
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
  assert.deepEqual(totals(kafka.batches).drops, { 'process other': 1 })
})

test('counted calls arrive as summaries each second, and batches carry the time up to which these are complete', {
  timeout: 60_000
}, async () => {
  const { kernel, kafka, service } = await start()
  assert.ok(kafka.batches.every(({ counted_until_us }) => counted_until_us === -1))
  let calls = 0
  for (let i = 0; i < 25; i++) {
    kernel.count({ timeNs: now() }, 10)
    calls += 10
    await sleep(100)
  }
  await service.drain()
  const summaries = summariesOf(kafka.batches)
  assert.equal(
    summaries.reduce((sum, { count }) => sum + count, 0),
    calls
  )
  let untilUs = -1
  for (const { counted_until_us, clock, summaries: rows } of kafka.batches) {
    assert.ok(counted_until_us >= untilUs)
    for (const { time_offset_ns } of rows) assert.ok(clock.monotonic_us + time_offset_ns / 1000 > untilUs)
    untilUs = counted_until_us
  }
  assert.ok(untilUs > 0)
  assertAccounted(kafka.batches, service.counters())
  const ends = new Set(summaries.map(({ time_offset_ns }) => time_offset_ns))
  assert.ok(ends.size >= 2)
  assert.equal(service.counters()['counted'], calls)
})

test('a ledger is in the stream every second, and the final one is exact', { timeout: 60_000 }, async () => {
  const startedMs = performance.now()
  const { kernel, kafka, service } = await start({ batchMs: 20 })
  for (let i = 0; i < 60; i++) {
    for (let n = 0; n < 5; n++) kernel.emit({ class: n % 4, timeNs: now() }, n < 4)
    kernel.count({}, 3)
    await sleep(30)
  }
  await service.drain()
  const ledgers = kafka.batches.flatMap(({ ledger }) => ledger ?? [])
  // The first and the final batch have one as well.
  const most = (performance.now() - startedMs) / 1000 + 2
  assert.ok(ledgers.length >= 3 && ledgers.length <= most, `${ledgers.length} of ${kafka.batches.length}`)
  const last = kafka.batches.at(-1)
  assert.equal(last?.final, true)
  assert.deepEqual(
    last.ledger?.classes.map(({ emitted, dropped, published, spooled, counted }) => [
      emitted,
      dropped,
      published,
      spooled,
      counted
    ]),
    [
      [60, 60, 60, 0, 0],
      [60, 0, 60, 0, 0],
      [60, 0, 60, 0, 0],
      [60, 0, 60, 0, 180]
    ]
  )
})

test('reducing a class, and the bound of a process, is one step in the ledger each', { timeout: 60_000 }, async () => {
  const { kernel, kafka, service } = await start({ processEventsPerSecond: 1000 })
  const reductions: [Reduction, string][] = [
    [{ processEvents: 500, classes: [] }, 'over 3% of a core'],
    [{ processEvents: 500, classes: ['io'] }, 'still over'],
    [{ processEvents: 500, classes: ['io', 'file'] }, 'still over'],
    [{ processEvents: 500, classes: [] }, 'quiet again'],
    [{ processEvents: 1000, classes: [] }, 'quiet again']
  ]
  for (const [reduction, reason] of reductions) service.setReduction(reduction, reason)
  await service.drain()
  assert.deepEqual(
    kernel.reductions,
    reductions.map(([reduction]) => reduction)
  )
  const ledgers = kafka.batches.flatMap(({ ledger }) => ledger ?? [])
  assert.deepEqual(
    ledgers.flatMap(({ steps }) => steps).map((step) => [step.class, step.mode, step.reason]),
    [
      ['io', 'count', 'still over'],
      ['file', 'count', 'still over'],
      ['file', 'emit', 'quiet again'],
      ['io', 'emit', 'quiet again']
    ]
  )
  assert.deepEqual(
    ledgers.flatMap((ledger) => ledger.bound_steps).map((step) => [step.process_events, step.mode, step.reason]),
    [
      [500, 'count', 'over 3% of a core'],
      [1000, 'emit', 'quiet again']
    ]
  )
  assert.equal(ledgers.at(-1)?.process_events, 1000)
  assert.ok((ledgers.at(-1)?.cpu_process_us ?? 0) > 0)
})

test('the ledger names the processes with limited calls, the largest first', { timeout: 60_000 }, async () => {
  const { kernel, kafka, service } = await start()
  const row = { pid: 7, startUs: 5, comm: 'flood', call: 'connect', count: 3 }
  kernel.limitedCalls = Array.from({ length: 20 }, (_, i) => ({ ...row, pid: 100 + i, count: i + 1 }))
  kernel.count({ call: 4, class: 3 }, 9)
  await service.drain()
  const rows = kafka.batches.flatMap(({ ledger }) => ledger?.limited_processes ?? [])
  assert.deepEqual(
    rows.map(({ pid, count }) => [pid, count]),
    Array.from({ length: 16 }, (_, i) => [119 - i, 20 - i])
  )
  assert.deepEqual(rows[0], { pid: 119, start_us: 5, comm: 'flood', call: 'connect', count: 20 })
})

test('metrics keep their last figures after the source is closed', async () => {
  const { kernel, service } = await start()
  for (let i = 0; i < 10; i++) kernel.emit({ timeNs: now() })
  await service.drain()
  assert.equal(kernel.closed, true)
  const exposed = new Map(edgeMetrics({ edge: service }).map(({ name, samples }) => [name, [...samples()]]))
  const published = exposed.get('ringside_edge_events_total')?.filter(({ labels }) => labels['outcome'] === 'published')
  assert.equal(
    published?.reduce((sum, { value }) => sum + value, 0),
    10
  )
  assert.deepEqual(exposed.get('ringside_edge_ring_unreleased_ratio'), [{ labels: {}, value: 0 }])
})
