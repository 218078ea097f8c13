// The ledger of an edge: what became of every call it saw, where things wait, and what the budget does.
import { dashboard, labelVariable, lines, states } from './panels.ts'

const edge = 'instance=~"$instance"'
const events = (outcome: string): string =>
  `rate(ringside_edge_events_total{${edge}, outcome="${outcome}"}[$__rate_interval])`

export const edgeLedger = dashboard({
  uid: 'ringside-edge',
  title: 'Ringside: ledger of an edge',
  description: 'Seen = off + counted + emitted + dropped (ring_full); emitted = published + spooled + lost later.',
  variables: [labelVariable('instance', 'ringside_edge_published_batches_total')],
  panels: [
    lines({
      title: 'What became of calls, in the kernel',
      description: 'A second: not observed, counted, put into a ring, or dropped as the ring was full.',
      ...{ unit: 'eps', width: 12, height: 9, stacked: true },
      queries: [
        ...['off', 'counted', 'emitted'].map((outcome) => ({ expr: `sum(${events(outcome)})`, legend: outcome })),
        {
          expr: `sum(rate(ringside_edge_events_total{${edge}, outcome="dropped", reason="ring_full"}[$__rate_interval]))`,
          legend: 'dropped, ring full'
        }
      ]
    }),
    lines({
      title: 'Events after the ring, by outcome',
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
      title: 'Events by class',
      description: 'Put into a ring, a second.',
      ...{ unit: 'eps', width: 8 },
      queries: [{ expr: `sum by (class) (${events('emitted')})`, legend: '{{class}}' }]
    }),
    lines({
      title: 'Dropped by class',
      description: 'Share of the events of a class that its ring had no room for.',
      ...{ unit: 'percentunit', width: 8 },
      queries: [
        {
          expr: `sum by (class) (rate(ringside_edge_events_total{${edge}, outcome="dropped", reason="ring_full"}[$__rate_interval])) / sum by (class) (rate(ringside_edge_events_total{${edge}, outcome=~"emitted|dropped", reason=~"|ring_full"}[$__rate_interval]))`,
          legend: '{{class}}'
        }
      ]
    }),
    lines({
      title: 'Calls missing from the ledger',
      description: 'Untracked: the kernel had no memory for their state. Uncounted: no summary had a group for them.',
      ...{ unit: 'ops', width: 8 },
      queries: [
        { expr: `sum(rate(ringside_edge_untracked_calls_total{${edge}}[$__rate_interval]))`, legend: 'untracked' },
        { expr: `sum(rate(ringside_edge_uncounted_calls_total{${edge}}[$__rate_interval]))`, legend: 'uncounted' }
      ]
    }),
    lines({
      title: 'Ring occupied by records that are not durable',
      description:
        'At 100% events are dropped. Grows while Kafka does not acknowledge and the spool does not take over.',
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
      title: 'Published',
      description: 'Encoded bytes, before compression.',
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
      description: 'Share of one core: the process, and its programs in the kernel where that is measured.',
      ...{ unit: 'percentunit', width: 8 },
      queries: [{ expr: `max by (instance, part) (ringside_edge_cpu_ratio{${edge}})`, legend: '{{instance}} {{part}}' }]
    }),
    states({
      title: 'Classes counted instead of emitted',
      description: 'To keep within the CPU budget; the log says why each step was taken.',
      ...{ unit: 'short', width: 8 },
      queries: [{ expr: `max by (instance, class) (ringside_edge_reduced{${edge}})`, legend: '{{instance}} {{class}}' }]
    })
  ]
})
