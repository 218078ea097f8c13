// What a consumer tells as metrics: the counters of its loop and of its handlers, and how far behind it is.
import { type ScalarFamily, single } from '../../runtime/metric.ts'
import type { ConsumeLoop } from './consume-loop.ts'

/** Counters of the loop by what was published, and the label of each. */
const published = {
  rollups: 'rollup',
  hosts: 'host_status',
  alerts: 'alert',
  alertUpdates: 'alert_update',
  audit: 'audit_record',
  other: 'other',
  deadletters: 'dead_letter'
} as const

/** The loop's own counters; what else there is, its handlers count. */
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
    counter('batches', 'Batches of events that were read.', 'batches'),
    counter('events', 'Events that were handled.', 'events'),
    counter('replayed_events', 'Events that were read again to rebuild state.', 'replayed'),
    counter('duplicate_events', 'Events that came again and were left out.', 'duplicates'),
    {
      name: 'ringside_consumer_published_records_total',
      kind: 'counter',
      help: 'Records that Kafka acknowledged, by what they are.',
      labels: ['record'],
      samples: () => {
        const counters = loop.counters()
        return Object.entries(published).map(([key, record]) => ({ labels: { record }, value: counters[key] ?? 0 }))
      }
    },
    {
      name: 'ringside_consumer_handler_total',
      kind: 'counter',
      help: 'What the handlers of this service count, by their own names.',
      labels: ['counter'],
      samples: () =>
        Object.entries(loop.counters())
          .filter(([key]) => !own.has(key))
          .map(([counter, value]) => ({ labels: { counter }, value }))
    },
    lag('messages', 'Messages of a partition that waited when it was last read.', ({ records }) => records),
    lag(
      'seconds',
      'Age of the last message that was handled, while others of its partition wait; else 0.',
      ({ seconds }) => seconds
    )
  ]
}
