// KafkaClient on kafkajs: producer, transactional producer, consumer, reader and administration. kafkajs gives up early;
// retries happen here and in these classes, so that a broker's restart is survived and a refusal is reported at once.
import { setTimeout as delay } from 'node:timers/promises'
import { RingsideError } from '../../runtime/errors.ts'
import type { ConnectionOptions, GroupProgress, KafkaClient, TopicDescription, TopicSpecification } from '../client.ts'
import { KafkaConsumer } from './consumer.ts'
import { type Admin, ConfigResourceTypes, createKafkaJs, protocolErrorOf, retries, toRingsideError } from './library.ts'
import { fetchCommits } from './offsets.ts'
import { KafkaProducer } from './producer.ts'
import { readTopic, type WithAdmin } from './reader.ts'
import { type GroupOffsets, KafkaTransactions } from './transactions.ts'

/** A broker that answers may still elect leaders: after its start, or for a new topic. */
const electionMs = 200
const maxAttempts = 15

const existingNames = async (admin: Admin, names: readonly string[]): Promise<string[]> => {
  const existing = new Set(await admin.listTopics())
  return names.filter((name) => existing.has(name))
}

const missingTopics = async (admin: Admin, topics: readonly TopicSpecification[]): Promise<TopicSpecification[]> => {
  const names = topics.map(({ name }) => name)
  const existing = new Set(await existingNames(admin, names))
  return topics.filter(({ name }) => !existing.has(name))
}

const createTopics = (admin: Admin, topics: readonly TopicSpecification[]): Promise<boolean> =>
  admin.createTopics({
    topics: topics.map(({ name, partitions, replicas, settings }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: replicas,
      configEntries: Object.entries(settings).map(([name, value]) => ({ name, value }))
    }))
  })

const minInsyncReplicasOf = async (admin: Admin, name: string): Promise<number | undefined> => {
  const resource = { type: ConfigResourceTypes.TOPIC, name, configNames: ['min.insync.replicas'] }
  try {
    const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false })
    const value = resources[0]?.configEntries[0]?.configValue
    return value === undefined ? undefined : Number(value)
  } catch (error) {
    // It takes a permission that reading and writing do not.
    if (protocolErrorOf(error)?.endsWith('AUTHORIZATION_FAILED') === true) return undefined
    throw error
  }
}

const describeTopic = async (admin: Admin, name: string): Promise<TopicDescription> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
  const partitions = topics[0]?.partitions ?? []
  const offsets = await admin.fetchTopicOffsets(name)
  return {
    name,
    partitions: partitions.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    minInsyncReplicas: await minInsyncReplicasOf(admin, name),
    messages: offsets.reduce((sum, { low, high }) => sum + BigInt(high) - BigInt(low), 0n)
  }
}

const progressOf = async (
  admin: Admin,
  groups: readonly string[],
  topics: readonly string[]
): Promise<GroupProgress[]> => {
  const ends = new Map<string, bigint>()
  const existing = await existingNames(admin, topics)
  for (const topic of existing) {
    for (const { partition, high } of await admin.fetchTopicOffsets(topic))
      ends.set(`${topic}/${partition}`, BigInt(high))
  }
  const progress: GroupProgress[] = []
  for (const group of groups) {
    for (const commit of await fetchCommits(admin, group, existing)) {
      const endOffset = ends.get(`${commit.topic}/${commit.partition}`)
      if (endOffset !== undefined) progress.push({ group, commit, endOffset })
    }
  }
  return progress
}

/**
 * A client of the cluster that `brokers` belong to. It connects on first use.
 * @param options.brokers each as host:port; any that answers gives the addresses of the others
 * @param options.clientId name in the brokers' logs and quotas
 */
export const createKafkajsClient = (options: ConnectionOptions): KafkaClient => {
  const kafka = createKafkaJs(options, retries.quick)
  const steady = createKafkaJs(options, retries.steady)

  const attempt: WithAdmin = async (action, use) => {
    const admin = kafka.admin()
    try {
      await admin.connect()
      return await use(admin)
    } catch (error) {
      const reason = protocolErrorOf(error)
      throw toRingsideError(error, reason === undefined ? action : `${action} (${reason})`, options.brokers)
    } finally {
      await admin.disconnect().catch(() => {})
    }
  }

  // All these requests are idempotent.
  const withAdmin: WithAdmin = async (action, use) => {
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt(action, use)
      } catch (error) {
        const isAnswer = error instanceof RingsideError && protocolErrorOf(error) !== undefined
        if (!isAnswer || !error.canRetry || attempts === maxAttempts) throw error
        await delay(electionMs)
      }
    }
  }

  const offsets: GroupOffsets = {
    committed: (group, topic, partition) =>
      withAdmin(`cannot fetch the offsets of group ${group}`, async (admin) =>
        (await fetchCommits(admin, group, [topic])).find((commit) => commit.partition === partition)
      ),
    partitionsOf: (topic) =>
      withAdmin(`cannot send to ${topic}`, async (admin) => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
        return topics[0]?.partitions.length ?? 0
      })
  }

  return {
    producer: async () => new KafkaProducer(kafka, options),
    transactional: (transactionOptions) => KafkaTransactions.begin(kafka, options, offsets, transactionOptions),
    consumer: async (consumerOptions) => new KafkaConsumer(kafka, steady, options, consumerOptions),
    read: (readerOptions, signal) =>
      readTopic({ kafka: steady, brokers: options.brokers, withAdmin, log: options.log, ...readerOptions }, signal),
    ensureTopics: async (topics) => {
      const action = 'cannot create topics'
      const missing = await withAdmin(action, (admin) => missingTopics(admin, topics))
      // A retry finds topics of the attempt before: kafkajs fails while the broker has no metadata of a new topic.
      await withAdmin(action, async (admin) => {
        const remaining = await missingTopics(admin, missing)
        if (remaining.length > 0) await createTopics(admin, remaining)
      })
      return missing.map(({ name }) => name)
    },
    describeTopics: (names) =>
      withAdmin('cannot describe topics', async (admin) => {
        const descriptions: TopicDescription[] = []
        for (const name of await existingNames(admin, names)) descriptions.push(await describeTopic(admin, name))
        return descriptions
      }),
    progress: (groups, topics) =>
      withAdmin('cannot fetch the progress of groups', (admin) => progressOf(admin, groups, topics)),
    members: (groups) =>
      withAdmin('cannot describe groups', async (admin) => {
        const described = await admin.describeGroups([...groups])
        return described.groups.map(({ groupId, members }) => ({
          group: groupId,
          members: members.map(({ memberId }) => memberId)
        }))
      }),
    ping: () =>
      withAdmin('cannot reach the cluster', async (admin) => {
        const { clusterId, brokers } = await admin.describeCluster()
        return { clusterId, brokers: brokers.length }
      })
  }
}
