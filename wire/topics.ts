// The topics of Ringside: their names under the configured prefix, what orders their messages, how
// long they keep them. Everyone who names a topic asks here.
import type { Config } from '../runtime/config.ts'
import type { TopicSpecification } from './client.ts'
import type { Alert, AuditRecord, EventBatch, HostStatus, Rollup } from './types.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A batch is at most 1 MB before compression; what does not compress, with its framing, fits twice. */
const maxMessageBytes = 2 << 20

interface Settings {
  /** Undefined: as many as kafka.partitions says. */
  readonly partitions?: number
  readonly retentionMs: number
  /** Retention removes whole segments, and never the one that is written to. */
  readonly segmentMs: number
}

const settings = {
  /** Raw material: long enough to rebuild every consumer's state over a weekend's outage. */
  events: { retentionMs: 3 * dayMs, segmentMs: hourMs },
  rollups: { retentionMs: 30 * dayMs, segmentMs: dayMs },
  /** How each host's stream was doing, beside its rollups. */
  hosts: { retentionMs: 30 * dayMs, segmentMs: dayMs },
  alerts: { retentionMs: 365 * dayMs, segmentMs: 7 * dayMs },
  audit: { retentionMs: 365 * dayMs, segmentMs: 7 * dayMs },
  deadletter: { partitions: 1, retentionMs: 30 * dayMs, segmentMs: dayMs }
} as const satisfies Record<string, Settings>

export type TopicName = keyof typeof settings

export const topicNames = Object.keys(settings) as readonly TopicName[]

export const topicName = (config: Pick<Config, 'topicPrefix'>, name: TopicName): string =>
  `${config.topicPrefix}${name}`

/** What `ensureTopics` creates on the configured cluster. */
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
        // A sender's clock that is an hour ahead would have its messages refused, for as long as it is.
        'message.timestamp.type': 'LogAppendTime',
        'max.message.bytes': String(maxMessageBytes)
      }
    }
  })

/** Keys: messages of one key keep their order. */
export const eventBatchKey = ({ host }: Pick<EventBatch, 'host'>): string => host
export const rollupKey = ({ host, workload }: Pick<Rollup, 'host' | 'workload'>): string => `${host}/${workload}`
export const hostStatusKey = ({ host }: Pick<HostStatus, 'host'>): string => host
export const alertKey = ({ rule, entity }: Pick<Alert, 'rule' | 'entity'>): string => `${rule}/${entity}`
export const auditKey = ({ host }: Pick<AuditRecord, 'host'>): string => host
