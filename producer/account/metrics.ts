// What the edge tells as metrics: its ledger by class and outcome, what waits where, and what the budget does.
import { type Sample, type ScalarFamily, single } from '../../runtime/metric-family.ts'
import type { EventClass, Ledger } from '../../wire/types.ts'
import type { CpuUse } from '../budget/cpu-meter.ts'
import { eventClasses } from '../source/raw-event.ts'
import type { Loss } from './tally.ts'

export interface EdgeFigures {
  counters(): Readonly<Record<string, number>>
  ledger(): Ledger
  losses(): readonly Loss[]
  /** Classes that are counted instead of told one by one. */
  readonly reduced: readonly EventClass[]
  /** Share of the fuller ring that is read and not durable yet; 0 where the source has no ring, or is closed. */
  readonly pressure: number
}

export interface EdgeMetricsOptions {
  readonly edge: EdgeFigures
  /** What the spool may take on disk; undefined: there is none. */
  readonly spoolLimitBytes?: number | undefined
  /** Undefined where nobody measures. */
  readonly cpu?: (() => CpuUse | undefined) | undefined
}

const outcomes = ['off', 'counted', 'emitted', 'published'] as const

function* eventSamples(edge: EdgeFigures): Generator<Sample> {
  for (const row of edge.ledger().classes) {
    for (const outcome of outcomes) yield { labels: { class: row.class, outcome, reason: '' }, value: row[outcome] }
    yield { labels: { class: row.class, outcome: 'dropped', reason: 'ring_full' }, value: row.dropped }
  }
  for (const { class: name, reason, count } of edge.losses()) {
    yield { labels: { class: name, outcome: 'dropped', reason }, value: count }
  }
}

export const edgeMetrics = ({ edge, spoolLimitBytes = 0, cpu }: EdgeMetricsOptions): readonly ScalarFamily[] => {
  const count = (name: string, help: string, key: string): ScalarFamily =>
    single('counter', `ringside_edge_${name}_total`, help, () => edge.counters()[key] ?? 0)
  const level = (name: string, help: string, read: () => number): ScalarFamily =>
    single('gauge', `ringside_edge_${name}`, help, read)
  return [
    {
      name: 'ringside_edge_events_total',
      kind: 'counter',
      help: 'Calls and events by class and by what became of them.',
      labels: ['class', 'outcome', 'reason'],
      samples: () => eventSamples(edge)
    },
    {
      name: 'ringside_edge_spooled_events',
      kind: 'gauge',
      help: 'Events of this run that wait in the spool.',
      labels: ['class'],
      samples: () => edge.ledger().classes.map((row) => ({ labels: { class: row.class }, value: row.spooled }))
    },
    single(
      'counter',
      'ringside_edge_untracked_calls_total',
      'Calls that no state could be kept for.',
      () => edge.ledger().untracked
    ),
    single(
      'counter',
      'ringside_edge_uncounted_calls_total',
      'Counted calls that no summary has.',
      () => edge.ledger().uncounted
    ),
    count('earlier_published_events', 'Events of earlier runs that Kafka acknowledged.', 'published_earlier'),
    count('earlier_lost_events', 'Events of earlier runs that a full spool gave up.', 'lost_earlier'),
    count('published_batches', 'Batches that Kafka acknowledged.', 'batches'),
    count('published_bytes', 'Encoded bytes of these batches, before compression.', 'bytes'),
    level('waiting_bytes', 'Encoded batches that wait in memory.', () => edge.counters()['waitingBytes'] ?? 0),
    level('spool_bytes', 'Encoded batches that wait on disk.', () => edge.counters()['spoolBytes'] ?? 0),
    level(
      'spool_limit_bytes',
      'What may wait on disk before the least important events are given up; 0: no spool.',
      () => spoolLimitBytes
    ),
    level('ring_unreleased_ratio', 'Share of the fuller ring that is read and not durable yet.', () => edge.pressure),
    {
      name: 'ringside_edge_reduced',
      kind: 'gauge',
      help: '1 while the calls of a class are counted instead of told, to keep to the CPU budget.',
      labels: ['class'],
      samples: () =>
        eventClasses.map((name) => ({ labels: { class: name }, value: edge.reduced.includes(name) ? 1 : 0 }))
    },
    {
      name: 'ringside_edge_cpu_ratio',
      kind: 'gauge',
      help: 'Share of one core used over the last second, by the process and by its programs in the kernel.',
      labels: ['part'],
      samples: () =>
        Object.entries(cpu?.() ?? {}).flatMap(([part, value]) =>
          typeof value === 'number' ? [{ labels: { part }, value }] : []
        )
    }
  ]
}
