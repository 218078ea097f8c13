// The Kafka of the tests: the brokers in RINGSIDE_TEST_BROKERS, where scripts/test.ts puts the one that all files share;
// with RINGSIDE_TEST_DOCKER=1 the image of docker-compose.yml; otherwise a local Kafka on a free port.
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { parse } from 'yaml'
import { checkJava } from '../../deploy/kafka/jars.ts'
import { startLocalKafka } from '../../deploy/kafka/local-kafka.ts'
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import type { KafkaClient, Message, UnreadableBatch } from '../../wire/client.ts'
import { describeUnreadable } from '../../wire/describe-unreadable.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { topicSpecifications } from '../../wire/topics.ts'
import { endWithProcess } from './end-with-process.ts'
import { freePort } from './free-port.ts'
import { testLog } from './log.ts'

interface Started {
  readonly brokers: readonly string[]
  stop(): Promise<void>
}

const startLocally = async (): Promise<Started> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-kafka-'))
  const kafka = await startLocalKafka({ stateDir, port: 0, heapMb: 256, log: testLog })
  const cancel = endWithProcess(() => process.kill(kafka.pid, 'SIGKILL'))
  return {
    brokers: kafka.brokers,
    stop: async () => {
      cancel()
      await kafka.stop()
      await rm(stateDir, { recursive: true, force: true })
    }
  }
}

interface Compose {
  readonly services: { readonly kafka: { readonly image: string; readonly environment: Record<string, string> } }
}

const startInDocker = async (): Promise<Started> => {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docker-compose.yml'), 'utf8')
  const { image, environment } = (parse(text) as Compose).services.kafka
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers')
  const { info } = await getContainerRuntimeClient()
  const host = info.containerRuntime.host === 'localhost' ? '127.0.0.1' : info.containerRuntime.host
  // A broker announces its address to clients, so it must be known before the start.
  const port = await freePort()
  const broker = `${host}:${port}`
  // By default testcontainers publishes on every address, and this Kafka authenticates nobody.
  class KafkaContainer extends GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      if (host !== '127.0.0.1') return
      this.hostConfig.PortBindings = { '9092/tcp': [{ HostIp: host, HostPort: String(port) }] }
    }
  }
  const container = await new KafkaContainer(image)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({ ...environment, KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${broker}` })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .start()
  return {
    brokers: [broker],
    stop: async () => {
      await container.stop()
    }
  }
}

/** @throws when it does not start */
export const startKafka = (): Promise<Started> => {
  const named = process.env['RINGSIDE_TEST_BROKERS']
  if (named) return Promise.resolve({ brokers: named.split(','), stop: async () => {} })
  return process.env['RINGSIDE_TEST_DOCKER'] === '1' ? startInDocker() : startLocally()
}

/** Why the local Kafka cannot be started, or false: for the `skip` of a suite. */
export const localKafkaMissing = (): Promise<string | false> => checkJava().then(() => false as const, messageOf)

/** Why there is no Kafka to test with, or false. */
export const kafkaMissing = async (): Promise<string | false> => {
  if (process.env['RINGSIDE_TEST_BROKERS'] || process.env['RINGSIDE_TEST_DOCKER'] === '1') return false
  return localKafkaMissing()
}

export interface TestKafka {
  readonly brokers: readonly string[]
  readonly client: KafkaClient
}

/** Call within `describe`: connects to the shared Kafka before its tests, or starts one and stops it after them. */
export const withKafka = (): TestKafka => {
  const kafka = {} as { -readonly [Key in keyof TestKafka]: TestKafka[Key] }
  let started: Started | undefined
  before(async () => {
    started = await startKafka()
    kafka.brokers = started.brokers
    kafka.client = createKafkaClient({ brokers: started.brokers, clientId: 'ringside-test', log: testLog })
  })
  after(() => started?.stop())
  return kafka
}

/** A name that no other test uses. */
export const uniqueName = (base: string): string => `${base}-${randomBytes(4).toString('hex')}`

/** Creates a topic and returns its name. */
export const createTopic = async (client: KafkaClient, base: string, partitions = 1): Promise<string> => {
  const name = uniqueName(base)
  await client.ensureTopics([{ name, partitions, replicas: 1, settings: {} }])
  return name
}

export interface Topics {
  readonly config: Config
  /** Environment in which the command line uses them. */
  readonly env: Record<string, string>
}

/** Creates Ringside's topics under a prefix of their own. */
export const createTopics = async ({ brokers, client }: TestKafka, base: string, partitions = 1): Promise<Topics> => {
  const topicPrefix = `${uniqueName(base)}.`
  const config = loadConfig({ brokers: [...brokers], topicPrefix, kafka: { partitions } }, undefined, {})
  await client.ensureTopics(topicSpecifications(config))
  return { config, env: { RINGSIDE_BROKERS: brokers.join(','), RINGSIDE_TOPIC_PREFIX: topicPrefix } }
}

/** For reads of topics in which every record batch can be read. */
export const expectReadable = (batch: UnreadableBatch): never => {
  throw new Error(describeUnreadable(batch))
}

/** All messages that a topic has now, in order within each partition. */
export const readAll = async (client: KafkaClient, topic: string) => {
  const messages: { partition: number; key: string; value: Buffer; headers: Message['headers']; offset: bigint }[] = []
  await client.read({
    topic,
    sinceMs: 0,
    untilEnd: true,
    onMessage: ({ key, value, headers, offset }, partition) => {
      messages.push({ partition, key: String(key), value: value ?? Buffer.alloc(0), headers, offset })
      return undefined
    },
    onUnreadable: expectReadable
  })
  return messages
}
