// From the events topic to committed rollups: events per second of CPU time. Compared with the same job on Kafka
// Streams (bench/kafka-streams), and with windows by string keys and sorted durations over the same batches and over one
// JSON message per event.
import { rollupsModule } from '../consumer/rollups/rollups.ts'
import { startConsumer } from '../consumer/service.ts'
import { RingsideError } from '../runtime/errors.ts'
import { loadConfig } from '../runtime/load-config.ts'
import { withoutDetails } from '../test/support/records.ts'
import type { KafkaClient, ReceivedMessage } from '../wire/client.ts'
import { decode, encode } from '../wire/codec.ts'
import { createKafkaClient } from '../wire/kafka.ts'
import { topicName, topicSpecifications } from '../wire/topics.ts'
import type { Event, EventBatch, Process } from '../wire/types.ts'
import { benchLog, withKafka } from './kafka.ts'
import { startKafkaStreams } from './kafka-streams.ts'
import { compareThroughput, type Row, type WorkElsewhere } from './rounds.ts'
import { type Call, StringKeyWindows } from './string-key-windows.ts'

export const name = 'kafka-to-rollups'
export const summary =
  'events in Kafka to rollups committed, against Kafka Streams, string keys and one JSON message an event'
export const cases = ['ringside', 'kafka-streams', 'string-keys', 'json-per-event'] as const

type Case = (typeof cases)[number]

const reference: Case = 'json-per-event'
const rounds = 5
const batches = 2000
const eventsPerBatch = 1000
const jsonBatches = 60
const messagesPerSend = 1000
const processes = 200
const syscalls = ['read', 'read', 'write', 'write', 'sendto', 'openat', 'close', 'connect']
/** Of event time between two batches: 100,000 events a second. */
const batchUs = 10_000
const epochUs = 1_767_225_600_000_000

const configOf = (which: 'batches' | 'json') =>
  loadConfig({ host: 'bench', topicPrefix: `bench-${process.pid}-${which}.`, kafka: { partitions: 1 } }, undefined, {})

const processOf = (i: number): Process => ({
  pid: 1000 + i,
  start_us: 5_000_000 + i * 977,
  ppid: 1,
  uid: 1000,
  comm: `worker-${i}`,
  exe: `/usr/bin/worker-${i % 20}`,
  container_id: null,
  cgroup_id: 1,
  euid: 1000,
  creator_pid: -1,
  creator_start_us: -1
})

const eventOf = (i: number): Event => ({
  kind: 'syscall',
  syscall: syscalls[(i * 7) % syscalls.length] as string,
  process: (i * 31) % processes,
  socket: -1,
  cpu: i % 2,
  seq: 1 + (i >> 1),
  time_offset_ns: ((i % eventsPerBatch) - eventsPerBatch) * 10_000,
  duration_ns: 200 + ((i * 2_654_435_761) % 2 ** (8 + (i % 14))),
  tid: 1000,
  ret: i % 50 === 0 ? -11 : 512,
  fd: 5,
  ...withoutDetails
})

const batchOf = (index: number): EventBatch => ({
  host: 'bench',
  boot: 'synthetic',
  agent: '0',
  run: 'synthetic',
  batch: index + 1,
  continues: null,
  final: index === batches - 1,
  clock: { monotonic_us: 1e9 + (index + 1) * batchUs, wall_us: epochUs + (index + 1) * batchUs },
  counted_until_us: -1,
  sequences: [],
  drops: [],
  processes: Array.from({ length: processes }, (_, i) => processOf(i)),
  sockets: [],
  stacks: [],
  events: Array.from({ length: eventsPerBatch }, (_, i) => eventOf(index * eventsPerBatch + i)),
  summaries: [],
  ledger: null
})

const callsOf = (batch: EventBatch): Call[] =>
  batch.events.map((event) => ({
    host: batch.host,
    process: batch.processes[event.process] as Process,
    syscall: event.syscall,
    timeUs: batch.clock.wall_us + Math.floor(event.time_offset_ns / 1000),
    durationNs: event.duration_ns,
    ret: event.ret
  }))

const fill = async (client: KafkaClient): Promise<void> => {
  const producer = await client.producer()
  for (let index = 0; index < batches; index++) {
    const batch = batchOf(index)
    await producer.send(topicName(configOf('batches'), 'events'), [
      { key: 'bench', value: encode('EventBatch', batch) }
    ])
    if (index >= jsonBatches) continue
    const messages = callsOf(batch).map((call) => ({ key: 'bench', value: Buffer.from(JSON.stringify(call)) }))
    await producer.send(topicName(configOf('json'), 'events'), messages)
  }
  await producer.close()
}

const expect = (which: Case, found: number, expected: number): void => {
  if (found === expected) return
  throw new RingsideError('SOFTWARE', `${which}: ${found} of ${expected} events were counted`)
}

/** The service as it is: loop, handler, publishing, commits. */
const runService = async (brokers: readonly string[], run: number): Promise<number> => {
  const config = { ...configOf('batches'), brokers: [...brokers] }
  const service = await startConsumer({
    name: `rollups-${run}`,
    module: rollupsModule(config.rollups),
    config,
    log: benchLog
  })
  await service.drain()
  expect('ringside', service.counters()['events'] ?? 0, batches * eventsPerBatch)
  return batches * eventsPerBatch
}

/** What is written without much thought; it commits nothing, and a restart would lose what it holds. */
const runStringKeys = async (
  client: KafkaClient,
  which: 'string-keys' | 'json-per-event',
  callsIn: (message: ReceivedMessage) => readonly Call[]
): Promise<number> => {
  const config = configOf(which === 'string-keys' ? 'batches' : 'json')
  const producer = await client.producer()
  const windows = new StringKeyWindows(config.rollups.windowsMs)
  let counted = 0
  const publish = async (all: boolean): Promise<void> => {
    const rollups = windows.close(all)
    for (let i = 0; i < rollups.length; i += messagesPerSend) {
      const messages = rollups.slice(i, i + messagesPerSend).map((rollup) => ({
        key: `${rollup.host}/${rollup.workload}`,
        value: encode('Rollup', rollup)
      }))
      await producer.send(topicName(config, 'rollups'), messages)
    }
  }
  await client.read({
    topic: topicName(config, 'events'),
    sinceMs: 0,
    untilEnd: true,
    onMessage: async (message) => {
      const calls = callsIn(message)
      for (const call of calls) windows.add(call)
      counted += calls.length
      if (windows.hasClosed) await publish(false)
      return undefined
    },
    onUnreadable: ({ reason }) => {
      throw new Error(reason)
    }
  })
  await publish(true)
  await producer.close()
  expect(which, counted, (which === 'string-keys' ? batches : jsonBatches) * eventsPerBatch)
  return counted
}

async function* runOn(brokers: readonly string[]): AsyncGenerator<Row> {
  const client = createKafkaClient({ brokers, clientId: 'ringside-bench', log: benchLog })
  for (const which of ['batches', 'json'] as const) await client.ensureTopics(topicSpecifications(configOf(which)))
  await fill(client)

  const bytesOf = ({ value }: ReceivedMessage): Buffer => value ?? Buffer.alloc(0)
  const streams = await startKafkaStreams(brokers, configOf('batches').topicPrefix)
  const runs: Readonly<Record<Case, (round: number) => Promise<number | WorkElsewhere>>> = {
    ringside: (round) => runService(brokers, round),
    'kafka-streams': async (round) => {
      const work = await streams.run(round)
      expect('kafka-streams', work.events, batches * eventsPerBatch)
      return work
    },
    'string-keys': () =>
      runStringKeys(client, 'string-keys', (message) => callsOf(decode('EventBatch', bytesOf(message)))),
    'json-per-event': () =>
      runStringKeys(client, 'json-per-event', (message) => [JSON.parse(bytesOf(message).toString()) as Call])
  }
  try {
    yield* compareThroughput(name, runs, reference, rounds)
  } finally {
    await streams.stop()
  }
}

export async function* run(): AsyncGenerator<Row> {
  yield* withKafka(runOn)
}
