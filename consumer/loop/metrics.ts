// Metrics of a consumer service: counters of its loop, counters of its handlers, lag, and its membership.
import { type ScalarFamily, single } from '../../runtime/metric-family.ts'
import type { ConsumeLoop } from './consume-loop.ts'
import type { Lag } from './lag-watch.ts'

/** Counters of published records, and the label of each. */
const published = {
  rollups: 'rollup',
  hosts: 'host_status',
  alerts: 'alert',
  alertUpdates: 'alert_update',
  audit: 'audit_record',
  other: 'other',
  deadletters: 'dead_letter'
} as const

/** Names of the loop's counters; any other is a handler's. */
const own: ReadonlySet<string> = new Set([
  'batches',
  'events',
  'replayed',
  'duplicates',
  'rejected',
  'lagRecords',
  'crashes',
  'rejoins',
  ...Object.keys(published)
])

export const consumerMetrics = (
  loop: Pick<ConsumeLoop, 'counters' | 'lags' | 'membership'>
): readonly ScalarFamily[] => {
  const counter = (name: string, help: string, key: string): ScalarFamily =>
    single('counter', `ringside_consumer_${name}_total`, help, () => loop.counters()[key] ?? 0)
  const ofPartitions = (name: string, help: string, value: (lag: Lag) => number): ScalarFamily => ({
    name: `ringside_consumer_${name}`,
    kind: 'gauge',
    help,
    labels: ['topic', 'partition'],
    samples: () =>
      loop.lags().map((each) => {
        const { topic, partition } = each
        return { labels: { topic, partition: String(partition) }, value: value(each) }
      })
  })
  return [
    counter('batches', 'Batches read.', 'batches'),
    counter('events', 'Events handled for the first time.', 'events'),
    counter('replayed_events', 'Events read again after a restart, to rebuild state.', 'replayed'),
    counter('duplicate_events', 'Duplicate events dropped.', 'duplicates'),
    counter('rejected_rows', 'Events and summaries left out, as their values are impossible.', 'rejected'),
    {
      name: 'ringside_consumer_published_records_total',
      kind: 'counter',
      help: 'Published records, by kind.',
      labels: ['record'],
      samples: () => {
        const counters = loop.counters()
        return Object.entries(published).map(([key, record]) => ({ labels: { record }, value: counters[key] ?? 0 }))
      }
    },
    {
      name: 'ringside_consumer_handler_total',
      kind: 'counter',
      help: 'Counters of the handlers, by their own names.',
      labels: ['counter'],
      samples: () =>
        Object.entries(loop.counters())
          .filter(([key]) => !own.has(key))
          .map(([counter, value]) => ({ labels: { counter }, value }))
    },
    ofPartitions(
      'lag_messages',
      'Messages of a partition that the broker has and the service has not handled.',
      ({ records }) => records
    ),
    ofPartitions(
      'lag_seconds',
      'Age of the last handled message of a partition, in seconds; 0 when no message waits.',
      ({ seconds }) => seconds
    ),
    ofPartitions(
      'stalled_seconds',
      'Seconds without progress in a partition while messages wait; 0 when none waits.',
      ({ stalledSeconds }) => stalledSeconds
    ),
    single('gauge', 'ringside_consumer_member', '1 while the service is a member of its consumer group.', () =>
      loop.membership.isMember ? 1 : 0
    ),
    counter('crashes', 'Memberships of the consumer group that ended with an error.', 'crashes'),
    counter('rejoins', 'Joins of the consumer group after the first, also with its rebalances.', 'rejoins')
  ]
}
