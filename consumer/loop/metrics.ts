// Metrics of a consumer service: counters of its loop, counters of its handlers, and lag.
import { type ScalarFamily, single } from '../../runtime/metric-family.ts'
import type { ConsumeLoop } from './consume-loop.ts'

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
  'lagRecords',
  ...Object.keys(published)
])

export const consumerMetrics = (loop: Pick<ConsumeLoop, 'counters' | 'lags'>): readonly ScalarFamily[] => {
  const counter = (name: string, help: string, key: string): ScalarFamily =>
    single('counter', `ringside_consumer_${name}_total`, help, () => loop.counters()[key] ?? 0)
  const lag = (
    name: string,
    help: string,
    value: (lag: { records: number; seconds: number }) => number
  ): ScalarFamily => ({
    name: `ringside_consumer_lag_${name}`,
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
    lag('messages', 'Messages of a partition not yet handled, as of the last fetch.', ({ records }) => records),
    lag(
      'seconds',
      'Age of the last handled message of a partition, in seconds; 0 when no message waits.',
      ({ seconds }) => seconds
    )
  ]
}
