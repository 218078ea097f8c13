// The topics of Ringside: names under the configured prefix, message keys, partitions and retention.
import type { Config } from '../runtime/config.ts'
import type { TopicSpecification } from './client.ts'
import { minInsyncReplicas } from './durability.ts'
import type { Alert, AuditRecord, EventBatch, HostStatus, Rollup } from './types.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A batch has at most 1 MB before compression: twice that leaves room for framing and for data that compression enlarges. */
const maxMessageBytes = 2 << 20

interface Settings {
  /** Default: kafka.partitions. */
  readonly partitions?: number
  readonly retentionMs: number
  /** Retention deletes whole segments, and never the active one. */
  readonly segmentMs: number
}

const settings = {
  /** Long enough to rebuild every consumer's state after a weekend's outage. */
  events: { retentionMs: 3 * dayMs, segmentMs: hourMs },
  rollups: { retentionMs: 30 * dayMs, segmentMs: dayMs },
  /** Host status, one record a second for each host. */
  hosts: { retentionMs: 30 * dayMs, segmentMs: dayMs },
  alerts: { retentionMs: 365 * dayMs, segmentMs: 7 * dayMs },
  audit: { retentionMs: 365 * dayMs, segmentMs: 7 * dayMs },
  deadletter: { partitions: 1, retentionMs: 30 * dayMs, segmentMs: dayMs }
} as const satisfies Record<string, Settings>

export type TopicName = keyof typeof settings

export const topicNames = Object.keys(settings) as readonly TopicName[]

export const topicName = (config: Pick<Config, 'topicPrefix'>, name: TopicName): string =>
  `${config.topicPrefix}${name}`

/** Specifications of all topics, for KafkaClient.ensureTopics(). */
export const topicSpecifications = (config: Pick<Config, 'topicPrefix' | 'kafka'>): TopicSpecification[] =>
  topicNames.map((name) => {
    const { partitions, retentionMs, segmentMs }: Settings = settings[name]
    return {
      name: topicName(config, name),
      partitions: partitions ?? config.kafka.partitions,
      replicas: config.kafka.replicas,
      settings: {
        'cleanup.policy': 'delete',
        'retention.ms': String(retentionMs),
        'segment.ms': String(segmentMs),
        // With the sender's time, the broker refuses messages of a host whose clock is an hour ahead.
        'message.timestamp.type': 'LogAppendTime',
        'max.message.bytes': String(maxMessageBytes),
        'min.insync.replicas': String(minInsyncReplicas(config.kafka.replicas))
      }
    }
  })

// Message keys: messages with one key keep their order.
export const eventBatchKey = ({ host }: Pick<EventBatch, 'host'>): string => host
export const rollupKey = ({ host, workload }: Pick<Rollup, 'host' | 'workload'>): string => `${host}/${workload}`
export const hostStatusKey = ({ host }: Pick<HostStatus, 'host'>): string => host
export const alertKey = ({ rule, entity }: Pick<Alert, 'rule' | 'entity'>): string => `${rule}/${entity}`
export const auditKey = ({ host }: Pick<AuditRecord, 'host'>): string => host
