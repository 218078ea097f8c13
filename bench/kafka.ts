// Kafka for a benchmark: the cluster of RINGSIDE_BROKERS, else a local one for the duration of the benchmark.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { startLocalKafka } from '../deploy/kafka/local-kafka.ts'

export const benchLog = pino({ level: 'warn' }, pino.destination(2))

/** Runs `use` with the brokers (host:port each) of a Kafka that is there until it ends. */
export async function* withKafka<T>(use: (brokers: readonly string[]) => AsyncIterable<T>): AsyncGenerator<T> {
  const named = process.env['RINGSIDE_BROKERS']
  if (named) {
    yield* use(named.split(','))
    return
  }
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-bench-'))
  try {
    const kafka = await startLocalKafka({ stateDir, port: 0, heapMb: 384, log: benchLog })
    try {
      yield* use(kafka.brokers)
    } finally {
      await kafka.stop()
    }
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}
