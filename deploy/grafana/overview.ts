// Hosts and the pipeline behind them: drops, lag, silent hosts, errors of services.
import { dashboard, labelVariable, lines, number, states, table } from './panels.ts'

const host = 'host=~"$host"'

export const overview = dashboard({
  uid: 'ringside-overview',
  title: 'Ringside: hosts and pipeline',
  description: 'Events of each host, drops on the way, and lag.',
  variables: [labelVariable('host', 'ringside_host_watermark_timestamp_seconds')],
  panels: [
    number({
      title: 'Hosts',
      description: 'Hosts that the rollups service has read events of.',
      ...{ unit: 'short', width: 4 },
      queries: [{ expr: `count(max by (host) (ringside_host_watermark_timestamp_seconds{${host}}))`, legend: 'hosts' }]
    }),
    number({
      title: 'Silent hosts',
      description:
        'Hosts without events for a minute whose edge did not end in order. See the alert RingsideHostSilent.',
      ...{ unit: 'short', width: 4, warningAt: 1, criticalAt: 5 },
      queries: [
        {
          expr: `count(min by (host) (ringside_host_lag_seconds{${host}}) > 60) or vector(0)`,
          legend: 'silent'
        }
      ]
    }),
    number({
      title: 'Oldest watermark',
      description: 'Age of the watermark of the host that is furthest behind. Normal: one or two seconds.',
      ...{ unit: 's', width: 4, warningAt: 10, criticalAt: 60 },
      queries: [{ expr: `max(min by (host) (ringside_host_lag_seconds{${host}}))`, legend: 'lag' }]
    }),
    number({
      title: 'Dropped events',
      description: 'Per second, all classes and reasons, as the edges declare them.',
      ...{ unit: 'eps', width: 4, warningAt: 0.001, criticalAt: 100 },
      queries: [
        {
          expr: `sum(rate(ringside_host_dropped_events_total{${host}}[$__rate_interval])) or vector(0)`,
          legend: 'dropped'
        }
      ]
    }),
    number({
      title: 'Dead letters',
      description:
        'Messages of the last hour that no consumer could handle. Topic deadletter has each with its reason.',
      ...{ unit: 'short', width: 4, warningAt: 1, criticalAt: 100 },
      queries: [
        {
          expr: 'sum(increase(ringside_consumer_published_records_total{record="dead_letter"}[1h])) or vector(0)',
          legend: 'dead letters'
        }
      ]
    }),
    number({
      title: 'Services down',
      description: 'Targets of job ringside whose last scrape failed.',
      ...{ unit: 'short', width: 4, warningAt: 1, criticalAt: 2 },
      queries: [{ expr: 'count(up{job="ringside"} == 0) or vector(0)', legend: 'down' }]
    }),
    lines({
      title: 'Calls',
      description: 'System calls per second by host: emitted as events, and counted in the kernel.',
      ...{ unit: 'ops', width: 12, stacked: true },
      queries: [
        {
          expr: `sum by (host, outcome) (rate(ringside_host_calls_total{${host}}[$__rate_interval]))`,
          legend: '{{host}} {{outcome}}'
        }
      ]
    }),
    lines({
      title: 'Dropped events by class and reason',
      description:
        'Per second. ring_full: the host emits events faster than the edge reads; spool_full: Kafka is away for too long.',
      ...{ unit: 'eps', width: 12 },
      queries: [
        {
          expr: `sum by (host, class, reason) (rate(ringside_host_dropped_events_total{${host}}[$__rate_interval]))`,
          legend: '{{host}} {{class}} {{reason}}'
        }
      ]
    }),
    lines({
      title: 'Host lag',
      description:
        'Age of the watermark of each host. Grows while no events arrive; 0 after the edge has ended in order.',
      ...{ unit: 's', width: 12 },
      queries: [{ expr: `min by (host) (ringside_host_lag_seconds{${host}})`, legend: '{{host}}' }]
    }),
    lines({
      title: 'Consumer lag',
      description:
        'Age of the last handled message while others wait. Start more instances, up to one for each partition.',
      ...{ unit: 's', width: 12 },
      queries: [{ expr: 'max by (service, topic) (ringside_consumer_lag_seconds)', legend: '{{service}} {{topic}}' }]
    }),
    lines({
      title: 'Time without progress',
      description:
        'Of a partition whose messages wait. A service that is stuck rises here, whether it logs anything or not.',
      ...{ unit: 's', width: 12 },
      queries: [
        { expr: 'max by (service, topic) (ringside_consumer_stalled_seconds)', legend: '{{service}} {{topic}}' }
      ]
    }),
    lines({
      title: 'Crashes and rejoins of consumers',
      description:
        'Lost memberships, and joins of the consumer group, per hour. A few follow each restart of a broker.',
      ...{ unit: 'short', width: 12 },
      queries: [
        { expr: 'sum by (service) (increase(ringside_consumer_crashes_total[1h]))', legend: '{{service}} crashes' },
        { expr: 'sum by (service) (increase(ringside_consumer_rejoins_total[1h]))', legend: '{{service}} rejoins' }
      ]
    }),
    lines({
      title: 'Calls beyond maxKeys, and late calls',
      description:
        'Share of all calls of a host: in rows named other (rollups.maxKeys), and late or outside the accepted time range (rollups.latenessMs).',
      ...{ unit: 'percentunit', width: 12 },
      queries: [
        {
          expr: `sum by (host) (rate(ringside_host_other_calls_total{${host}}[$__rate_interval])) / sum by (host) (rate(ringside_host_calls_total{${host}}[$__rate_interval]))`,
          legend: '{{host}} other'
        },
        {
          expr: `sum by (host) (rate(ringside_host_late_calls_total{${host}}[$__rate_interval]) + rate(ringside_host_outside_calls_total{${host}}[$__rate_interval])) / sum by (host) (rate(ringside_host_calls_total{${host}}[$__rate_interval]))`,
          legend: '{{host}} late'
        }
      ]
    }),
    states({
      title: 'Classes reduced for the CPU budget',
      description: 'The edge counts the calls of these classes: rates and latencies stay right, events are missing.',
      ...{ unit: 'short', width: 12 },
      queries: [{ expr: `max by (host, class) (ringside_host_reduced{${host}})`, legend: '{{host}} {{class}}' }]
    }),
    lines({
      title: 'Records published',
      description: 'Per second, by kind of record.',
      ...{ unit: 'ops', width: 12 },
      queries: [
        {
          expr: 'sum by (service, record) (rate(ringside_consumer_published_records_total[$__rate_interval])) > 0',
          legend: '{{service}} {{record}}'
        }
      ]
    }),
    lines({
      title: 'CPU',
      description: 'Cores that each service uses. The edge’s programs in the kernel are in the dashboard of the edge.',
      ...{ unit: 'short', width: 6 },
      queries: [
        {
          expr: 'sum by (service, instance) (rate(process_cpu_seconds_total{job="ringside"}[$__rate_interval]))',
          legend: '{{service}} {{instance}}'
        }
      ]
    }),
    lines({
      title: 'Memory',
      description: 'Resident memory of each service.',
      ...{ unit: 'bytes', width: 6 },
      queries: [
        {
          expr: 'sum by (service, instance) (process_resident_memory_bytes{job="ringside"})',
          legend: '{{service}} {{instance}}'
        }
      ]
    }),
    table({
      title: 'Firing alerts',
      description: 'Alerts of the rules in deploy/prometheus. The annotation runbook of each says what to do.',
      ...{ unit: 'short', width: 24 },
      queries: [{ expr: 'ALERTS{alertname=~"Ringside.*", alertstate="firing"}', legend: '', table: true }]
    })
  ]
})
