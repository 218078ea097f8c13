// The edge between a fake kernel and a fake Kafka: every event is published, or accounted for.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { edgeMetrics } from '../../producer/account/metrics.ts'
import { type EdgeService, startEdge } from '../../producer/edge.ts'
import { createRecorder } from '../../producer/source/recorder.ts'
import { openRecording } from '../../producer/source/recording.ts'
import type { Config } from '../../runtime/config.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import type { Message, Producer } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import type { EventBatch, EventClass, Summary } from '../../wire/types.ts'
import { withoutDuplicates } from '../consumer/support/batches.ts'
import { FakeKernel } from '../support/fake-kernel.ts'
import { type RawEvent, rawBytes, rawEvent } from '../support/raw-events.ts'
import { temporaryDirectory } from '../support/ringside.ts'

const log = pino({ level: 'silent' })

/** Keeps the messages it receives; fails or waits as `behave` does. */
class FakeKafka {
  readonly batches: EventBatch[] = []
  readonly messages: { topic: string; message: Message }[] = []
  inFlight = 0
  mostInFlight = 0
  producers = 0
  behave: () => Promise<void> = async () => {}
  /** Runs after the messages were stored, before the acknowledgement. */
  answer: () => Promise<void> = async () => {}

  async producer(): Promise<Producer> {
    this.producers++
    return { send: (topic, messages) => this.#send(topic, messages), close: async () => {} }
  }

  async #send(topic: string, messages: readonly Message[]): Promise<void> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      await this.behave()
    } finally {
      this.inFlight--
    }
    for (const message of messages) {
      this.messages.push({ topic, message })
      this.batches.push(decode('EventBatch', message.value as Buffer))
    }
    await this.answer()
  }
}

const start = async (
  edge: Partial<Config['edge']> = {},
  kernel = new FakeKernel(),
  spoolPath?: string
): Promise<{ kernel: FakeKernel; kafka: FakeKafka; service: EdgeService }> => {
  const kafka = new FakeKafka()
  const config = loadConfig({ host: 'test-host', edge }, undefined, {})
  const reduce = (classes: readonly EventClass[]): void => {
    kernel.reduced.push(classes)
  }
  const service = await startEdge({ config, log, source: kernel, client: kafka, spoolPath, reduce })
  return { kernel, kafka, service }
}

const totals = (batches: readonly EventBatch[]): { covered: number; events: number; drops: Record<string, number> } => {
  const drops: Record<string, number> = {}
  for (const { class: name, count, reason } of batches.flatMap((batch) => batch.drops)) {
    drops[`${name} ${reason}`] = (drops[`${name} ${reason}`] ?? 0) + count
  }
  const covered = batches
    .flatMap((batch) => batch.sequences)
    .filter(({ cpu }) => cpu >= 0)
    .reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return { covered, events: batches.reduce((sum, batch) => sum + batch.events.length, 0), drops }
}

const dropped = (drops: Record<string, number>): number => Object.values(drops).reduce((a, b) => a + b, 0)

/** Asserts the stream's promises for a run that was drained. */
const assertAccounted = (batches: readonly EventBatch[], counters: Readonly<Record<string, number>>): void => {
  assert.deepEqual(
    batches.map((batch) => batch.batch),
    batches.map((_, i) => i + 1)
  )
  const last = new Map<number, number>()
  for (const { cpu, first, last: end } of batches.flatMap((batch) => batch.sequences)) {
    assert.equal(first, (last.get(cpu) ?? (cpu < 0 ? 0 : 1_000 * (cpu + 1))) + 1, 'ranges of a CPU are contiguous')
    last.set(cpu, end)
  }
  const { covered, events, drops } = totals(batches)
  assert.equal(covered, events + dropped(drops), 'gaps equal the declared drops')
  assert.equal(counters['seen'], covered)
  assert.equal(counters['published'], events)
  assert.equal(counters['dropped'], dropped(drops))
  assert.equal(batches.at(-1)?.final, true)
  assert.equal(batches.filter((batch) => batch.final).length, 1)
  for (let i = 1; i < batches.length; i++) {
    const [before, batch] = [batches[i - 1], batches[i]] as [EventBatch, EventBatch]
    assert.ok(batch.clock.monotonic_us >= before.clock.monotonic_us, 'the clock never steps back')
  }
}

const now = (): bigint => process.hrtime.bigint()

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

test('stopping in the middle of a recording drops nothing', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-edge-'))
  test.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'recording')
  const kernel = new FakeKernel()
  const recorder = createRecorder(kernel, path)
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

test('a sequence gap without a counted drop is declared in the final batch', async () => {
  const { kernel, kafka, service } = await start()
  kernel.emit({ timeNs: now() })
  kernel.number({})
  kernel.emit({ timeNs: now() })
  await service.drain()
  assertAccounted(kafka.batches, service.counters())
  assert.deepEqual(totals(kafka.batches).drops, { 'process other': 1 })
})

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
  await sleep(3_000)
  const before = service.counters()
  assert.ok((before['dropped_spool_full'] as number) > 0)
  assert.ok((before['spoolBytes'] as number) <= 8 << 20)
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

const mapOf = (batches: readonly EventBatch[]): Map<string, number> =>
  new Map(batches.flatMap(({ events }) => events.map(({ cpu, seq, ret }) => [`${cpu} ${seq}`, ret])))

const summariesOf = (batches: readonly EventBatch[]): Summary[] => batches.flatMap(({ summaries }) => summaries)

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 1_000 && !holds(); i++) await sleep(10)
  assert.ok(holds())
}

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
  assert.deepEqual(last.mark, { security: 50 * 192, rest: 50 * 192, summaries: 0 })
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
  const { kernel, kafka, service } = await start({ batchMs: 20 })
  for (let i = 0; i < 60; i++) {
    for (let n = 0; n < 5; n++) kernel.emit({ class: n % 4, timeNs: now() }, n < 4)
    kernel.count({}, 3)
    await sleep(30)
  }
  await service.drain()
  const ledgers = kafka.batches.flatMap(({ ledger }) => ledger ?? [])
  assert.ok(ledgers.length >= 3 && ledgers.length <= 10, `${ledgers.length} of ${kafka.batches.length}`)
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

test('reducing a class is one step in the ledger', { timeout: 60_000 }, async () => {
  const { kernel, kafka, service } = await start()
  service.setReduced(['io'], 'over 3% of a core')
  service.setReduced(['io'], 'still over')
  service.setReduced(['io', 'file'], 'still over')
  service.setReduced([], 'quiet again')
  await service.drain()
  assert.deepEqual(kernel.reduced, [['io'], ['io', 'file'], []])
  const steps = kafka.batches.flatMap(({ ledger }) => ledger?.steps ?? [])
  assert.deepEqual(
    steps.map((step) => [step.class, step.mode, step.reason]),
    [
      ['io', 'count', 'over 3% of a core'],
      ['file', 'count', 'still over'],
      ['file', 'emit', 'quiet again'],
      ['io', 'emit', 'quiet again']
    ]
  )
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
