// The edge's metrics: events by class and outcome, backlog and spool, CPU use and budget.
import { type Sample, type ScalarFamily, single } from '../../runtime/metric-family.ts'
import { eventClasses } from '../../wire/event-class.ts'
import type { Ledger } from '../../wire/types.ts'
import type { Reduction } from '../budget/budget.ts'
import type { CpuUse } from '../budget/cpu-meter.ts'
import type { Loss } from './event-counters.ts'

export interface EdgeFigures {
  counters(): Readonly<Record<string, number>>
  ledger(): Ledger
  losses(): readonly Loss[]
  readonly reduction: Reduction
  /** Share of the fullest ring occupied by records that are not durable yet; 0 without a ring or after closing. */
  readonly pressure: number
}

export interface EdgeMetricsOptions {
  readonly edge: EdgeFigures
  /** edge.spool.maxBytes; undefined without a spool. */
  readonly spoolLimitBytes?: number | undefined
  /** undefined when CPU use is not measured. */
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

function* cpuSamples({ cpu_process_us, cpu_programs_us }: Ledger): Generator<Sample> {
  yield { labels: { part: 'process' }, value: cpu_process_us / 1e6 }
  if (cpu_programs_us >= 0) yield { labels: { part: 'programs' }, value: cpu_programs_us / 1e6 }
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
      help: 'Calls and events by class and outcome.',
      labels: ['class', 'outcome', 'reason'],
      samples: () => eventSamples(edge)
    },
    {
      name: 'ringside_edge_spooled_events',
      kind: 'gauge',
      help: 'Events of this run in the spool.',
      labels: ['class'],
      samples: () => edge.ledger().classes.map((row) => ({ labels: { class: row.class }, value: row.spooled }))
    },
    single(
      'counter',
      'ringside_edge_untracked_calls_total',
      'Calls without a state, for lack of kernel memory.',
      () => edge.ledger().untracked
    ),
    single(
      'counter',
      'ringside_edge_uncounted_calls_total',
      'Counted calls in no summary, for lack of groups.',
      () => edge.ledger().uncounted
    ),
    single(
      'counter',
      'ringside_edge_limited_calls_total',
      'Calls and outcomes of connects not emitted, beyond the bound of their process.',
      () => edge.ledger().limited
    ),
    count(
      'earlier_published_events',
      'Events of earlier runs, from the spool, that Kafka acknowledged.',
      'published_earlier'
    ),
    count('earlier_evicted_events', 'Events of earlier runs evicted from the full spool.', 'evicted_earlier'),
    count('published_batches', 'Batches that Kafka acknowledged.', 'batches'),
    count('published_bytes', 'Encoded bytes of published batches, before compression.', 'bytes'),
    level('backlog_bytes', 'Bytes of encoded batches in memory.', () => edge.counters()['backlogBytes'] ?? 0),
    level('spool_bytes', 'Bytes of the spool in use.', () => edge.counters()['spoolBytes'] ?? 0),
    level(
      'spool_limit_bytes',
      'Size limit of the spool in bytes, beyond which it evicts the least important events; 0 without a spool.',
      () => spoolLimitBytes
    ),
    level(
      'ring_unreleased_ratio',
      'Share of the fullest ring occupied by records that were read and are not durable yet.',
      () => edge.pressure
    ),
    {
      name: 'ringside_edge_reduced',
      kind: 'gauge',
      help: '1 while the calls of a class are counted instead of emitted, to keep to the CPU budget.',
      labels: ['class'],
      samples: () =>
        eventClasses.map((name) => ({ labels: { class: name }, value: edge.reduction.classes.includes(name) ? 1 : 0 }))
    },
    level(
      'process_events_limit',
      'Events that a process may emit per second, less than configured to keep to the CPU budget; 0 without a bound.',
      () => edge.reduction.processEvents
    ),
    {
      name: 'ringside_edge_cpu_seconds_total',
      kind: 'counter',
      help: 'CPU time of the process and of its BPF programs, which are measured only with a CPU budget.',
      labels: ['part'],
      samples: () => cpuSamples(edge.ledger())
    },
    {
      name: 'ringside_edge_cpu_ratio',
      kind: 'gauge',
      help: 'Share of one core used over the last second, by the process and its BPF programs.',
      labels: ['part'],
      samples: () =>
        Object.entries(cpu?.() ?? {}).flatMap(([part, value]) =>
          typeof value === 'number' ? [{ labels: { part }, value }] : []
        )
    }
  ]
}
