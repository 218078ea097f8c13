// From ring bytes to Kafka's acknowledgement: events per second of this process's CPU time, compared with one JSON
// message per event through the same client.

import { startEdge } from '../producer/edge.ts'
import { BatchBuilder } from '../producer/encode/avsc-batch.ts'
import { ProcessTable } from '../producer/encode/process-table.ts'
import { SocketTable } from '../producer/encode/socket-table.ts'
import { absentProc } from '../producer/proc.ts'
import { callName } from '../producer/source/call-names.ts'
import { RawEvents } from '../producer/source/raw-events.ts'
import { RecordWalk } from '../producer/source/record-walk.ts'
import { RingsideError } from '../runtime/errors.ts'
import { loadConfig } from '../runtime/load-config.ts'
import type { KafkaClient } from '../wire/client.ts'
import { createKafkaClient } from '../wire/kafka.ts'
import { eventRow } from '../wire/row.ts'
import { topicName, topicSpecifications } from '../wire/topics.ts'
import type { EventBatch } from '../wire/types.ts'
import { benchLog, withKafka } from './kafka.ts'
import { compareThroughput, type Row } from './rounds.ts'
import { syntheticSource } from './synthetic-source.ts'

export const name = 'ring-to-kafka'
export const summary =
  'ring bytes to Kafka acknowledged: batches of Avro, plain, zstd, and encoded by avsc, against one JSON message an event'
export const cases = ['plain', 'zstd', 'avsc', 'json-per-event'] as const

type Case = (typeof cases)[number]

const reference: Case = 'json-per-event'
const rounds = 5
/** About a second of CPU time each. */
const events: Readonly<Record<Case, number>> = {
  plain: 2_000_000,
  zstd: 1_000_000,
  avsc: 600_000,
  'json-per-event': 60_000
}
const messagesPerSend = 1_000

const configOf = (which: Case) => {
  const codec = which === 'avsc' ? 'avsc' : 'native'
  return loadConfig({ host: 'bench', topicPrefix: `bench-${which}.`, edge: { codec } }, undefined, {})
}

const publishBatches = async (client: KafkaClient, which: Case): Promise<number> => {
  const source = syntheticSource(events[which])
  const service = await startEdge({ config: configOf(which), log: benchLog, source, client })
  await service.done
  const { published } = service.counters()
  if (published !== source.count) {
    throw new RingsideError('SOFTWARE', `${which}: ${published} of ${source.count} events were published`)
  }
  return source.count
}

const header: Omit<EventBatch, 'processes' | 'sockets' | 'stacks' | 'events' | 'summaries'> = {
  host: 'bench',
  boot: 'synthetic',
  agent: '0',
  run: '0',
  batch: 1,
  continues: null,
  final: false,
  clock: { monotonic_us: 0, wall_us: 1_769_860_800_000_000 },
  counted_until_us: -1,
  sequences: [],
  drops: [],
  ledger: null
}

const publishJson = async (client: KafkaClient, which: Case): Promise<number> => {
  const source = syntheticSource(events[which])
  const topic = topicName(configOf(which), 'events')
  const producer = await client.producer()
  const builder = new BatchBuilder(new ProcessTable(absentProc), new SocketTable(), callName)
  const buffer = new Uint8Array(1 << 20)
  const raw = new RawEvents(buffer)
  const walk = new RecordWalk(raw)
  for (let length = source.read(buffer); length > 0; length = source.read(buffer)) {
    const rows: string[] = []
    const flush = (): void => {
      const batch = { ...header, ...builder.take(header.clock) }
      for (const event of batch.events) rows.push(JSON.stringify(eventRow(batch, event)))
    }
    walk.begin(length)
    for (let record = walk.next(); record >= 0; record = walk.next()) {
      builder.addEvent(raw, record)
      if (builder.count === messagesPerSend) flush()
    }
    flush()
    for (let i = 0; i < rows.length; i += messagesPerSend) {
      const messages = rows.slice(i, i + messagesPerSend).map((row) => ({ key: 'bench', value: Buffer.from(row) }))
      await producer.send(topic, messages)
    }
  }
  await producer.close()
  return source.count
}

async function* runOn(brokers: readonly string[]): AsyncGenerator<Row> {
  const options = { brokers, clientId: 'ringside-bench', log: benchLog }
  const zstd = createKafkaClient(options)
  const plain = createKafkaClient({ ...options, compression: 'none' })
  const runs: Readonly<Record<Case, () => Promise<number>>> = {
    plain: () => publishBatches(plain, 'plain'),
    zstd: () => publishBatches(zstd, 'zstd'),
    avsc: () => publishBatches(plain, 'avsc'),
    'json-per-event': () => publishJson(plain, 'json-per-event')
  }
  for (const which of cases) await zstd.ensureTopics(topicSpecifications(configOf(which)))

  yield* compareThroughput(name, runs, reference, rounds)
}

export async function* run(): AsyncGenerator<Row> {
  yield* withKafka(runOn)
}
