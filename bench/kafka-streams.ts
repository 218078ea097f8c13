// Runs the Kafka Streams job (bench/kafka-streams) in a child process: built by Maven, one warm JVM for all rounds.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import type { WorkElsewhere } from './rounds.ts'

export interface KafkaStreams {
  /** A new application reads the whole topic; round 0 does so often enough to be compiled. */
  run(round: number): Promise<WorkElsewhere>
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '..')
const built = join(root, 'build/bench/kafka-streams')
const warmUps = 3

const build = async (): Promise<void> => {
  try {
    await promisify(execFile)('mvn', ['-q', '-B', '-f', join(root, 'bench/kafka-streams/pom.xml'), 'compile'])
  } catch (cause) {
    throw new RingsideError('UNAVAILABLE', `Maven cannot build bench/kafka-streams: ${messageOf(cause)}`, { cause })
  }
}

/** @throws RingsideError UNAVAILABLE when it cannot be built */
export const startKafkaStreams = async (brokers: readonly string[], topicPrefix: string): Promise<KafkaStreams> => {
  await build()
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-streams-'))
  const jvm = spawn(
    'java',
    [
      ...['-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', `${built}/classes:${built}/lib/*`],
      ...['ringside.bench.StreamsRollups', brokers.join(','), topicPrefix],
      ...[join(root, 'schemas/rollup.avsc'), stateDir]
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] }
  )
  const exited = once(jvm, 'exit')
  // A JVM that is gone is seen by its answers.
  jvm.stdin.on('error', () => {})
  const lines = createInterface({ input: jvm.stdout })[Symbol.asyncIterator]()
  let applications = 0
  const runOnce = async (): Promise<WorkElsewhere> => {
    jvm.stdin.write(`streams-${++applications}\n`)
    const { value, done } = await lines.next()
    if (done === true) throw new RingsideError('UNAVAILABLE', 'the JVM of Kafka Streams ended: see what it said above')
    const [events = 0, cpuSeconds = 0] = String(value).split(' ').map(Number)
    return { events, cpuSeconds }
  }
  return {
    run: async (round) => {
      for (let i = 1; round === 0 && i < warmUps; i++) await runOnce()
      return runOnce()
    },
    stop: async () => {
      jvm.stdin.end()
      jvm.kill()
      await exited
      await rm(stateDir, { recursive: true, force: true })
    }
  }
}
