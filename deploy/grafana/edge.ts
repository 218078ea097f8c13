// The ledger of an edge: calls by outcome, waiting batches, CPU budget.
import { dashboard, labelVariable, lines, states } from './panels.ts'

const edge = 'instance=~"$instance"'
const events = (outcome: string): string =>
  `rate(ringside_edge_events_total{${edge}, outcome="${outcome}"}[$__rate_interval])`

export const edgeLedger = dashboard({
  uid: 'ringside-edge',
  title: 'Ringside: edge',
  description:
    'Seen = off + counted + emitted + dropped (ring_full); emitted = published + spooled + dropped after the ring.',
  variables: [labelVariable('instance', 'ringside_edge_published_batches_total')],
  panels: [
    lines({
      title: 'Calls by outcome, in the kernel',
      description: 'Per second: off, counted, emitted into a ring, dropped because the ring was full.',
      ...{ unit: 'eps', width: 12, height: 9, stacked: true },
      queries: [
        ...['off', 'counted', 'emitted'].map((outcome) => ({ expr: `sum(${events(outcome)})`, legend: outcome })),
        {
          expr: `sum(rate(ringside_edge_events_total{${edge}, outcome="dropped", reason="ring_full"}[$__rate_interval]))`,
          legend: 'dropped, ring_full'
        }
      ]
    }),
    lines({
      title: 'Events by outcome, after the ring',
      description:
        'Per second: acknowledged by Kafka, from this run and from earlier ones through the spool; and dropped.',
      ...{ unit: 'eps', width: 12, height: 9, stacked: true },
      queries: [
        { expr: `sum(${events('published')})`, legend: 'published' },
        {
          expr: `sum(rate(ringside_edge_earlier_published_events_total{${edge}}[$__rate_interval]))`,
          legend: 'published, earlier runs'
        },
        {
          expr: `sum by (reason) (rate(ringside_edge_events_total{${edge}, outcome="dropped", reason!="ring_full"}[$__rate_interval])) > 0`,
          legend: 'dropped, {{reason}}'
        },
        {
          expr: `sum(rate(ringside_edge_earlier_evicted_events_total{${edge}}[$__rate_interval])) > 0`,
          legend: 'evicted, earlier runs'
        }
      ]
    }),
    lines({
      title: 'Emitted events by class',
      description: 'Per second.',
      ...{ unit: 'eps', width: 8 },
      queries: [{ expr: `sum by (class) (${events('emitted')})`, legend: '{{class}}' }]
    }),
    lines({
      title: 'Share of dropped events by class',
      description: 'Events that the ring had no room for, as a share of all events of the class.',
      ...{ unit: 'percentunit', width: 8 },
      queries: [
        {
          expr: `sum by (class) (rate(ringside_edge_events_total{${edge}, outcome="dropped", reason="ring_full"}[$__rate_interval])) / sum by (class) (rate(ringside_edge_events_total{${edge}, outcome=~"emitted|dropped", reason=~"|ring_full"}[$__rate_interval]))`,
          legend: '{{class}}'
        }
      ]
    }),
    lines({
      title: 'Untracked and uncounted calls',
      description: 'Per second. Untracked: no memory for their state. Uncounted: no group of a summary had room.',
      ...{ unit: 'ops', width: 8 },
      queries: [
        { expr: `sum(rate(ringside_edge_untracked_calls_total{${edge}}[$__rate_interval]))`, legend: 'untracked' },
        { expr: `sum(rate(ringside_edge_uncounted_calls_total{${edge}}[$__rate_interval]))`, legend: 'uncounted' }
      ]
    }),
    lines({
      title: 'Ring occupied by records that are not durable',
      description: 'At 100% the kernel drops events. Grows while neither Kafka nor the spool takes batches.',
      ...{ unit: 'percentunit', width: 8, max: 1 },
      queries: [{ expr: `max by (instance) (ringside_edge_ring_unreleased_ratio{${edge}})`, legend: '{{instance}}' }]
    }),
    lines({
      title: 'Backlog',
      description: 'Encoded batches in memory and in the spool, and the limit of the spool.',
      ...{ unit: 'bytes', width: 8 },
      queries: [
        { expr: `sum by (instance) (ringside_edge_backlog_bytes{${edge}})`, legend: '{{instance}} memory' },
        { expr: `sum by (instance) (ringside_edge_spool_bytes{${edge}})`, legend: '{{instance}} spool' },
        { expr: `sum by (instance) (ringside_edge_spool_limit_bytes{${edge}})`, legend: '{{instance}} spool limit' }
      ]
    }),
    lines({
      title: 'Events in the spool',
      description: 'Of this run, by class. When the spool is full, the least important are evicted first.',
      ...{ unit: 'short', width: 8, stacked: true },
      queries: [{ expr: `sum by (class) (ringside_edge_spooled_events{${edge}})`, legend: '{{class}}' }]
    }),
    lines({
      title: 'Published bytes',
      description: 'Per second, encoded, before compression.',
      ...{ unit: 'Bps', width: 8 },
      queries: [
        {
          expr: `sum by (instance) (rate(ringside_edge_published_bytes_total{${edge}}[$__rate_interval]))`,
          legend: '{{instance}}'
        }
      ]
    }),
    lines({
      title: 'CPU',
      description: 'Share of one core: the edge process, and its programs where the kernel measures them.',
      ...{ unit: 'percentunit', width: 8 },
      queries: [{ expr: `max by (instance, part) (ringside_edge_cpu_ratio{${edge}})`, legend: '{{instance}} {{part}}' }]
    }),
    states({
      title: 'Classes reduced for the CPU budget',
      description: 'The edge counts the calls of these classes. Its log has the reason of each step.',
      ...{ unit: 'short', width: 8 },
      queries: [{ expr: `max by (instance, class) (ringside_edge_reduced{${edge}})`, legend: '{{instance}} {{class}}' }]
    })
  ]
})
