// Hosts and the pipeline behind them: is anything lost, late or silent?
import { dashboard, labelVariable, lines, number, states, table } from './panels.ts'

const host = 'host=~"$host"'

export const overview = dashboard({
  uid: 'ringside-overview',
  title: 'Ringside: hosts and pipeline',
  description: 'What comes from each host, what is lost on the way, and how late it is.',
  variables: [labelVariable('host', 'ringside_host_watermark_timestamp_seconds')],
  panels: [
    number({
      title: 'Hosts',
      description: 'Of which the rollups service knows.',
      ...{ unit: 'short', width: 4 },
      queries: [{ expr: `count(max by (host) (ringside_host_watermark_timestamp_seconds{${host}}))`, legend: 'hosts' }]
    }),
    number({
      title: 'Silent hosts',
      description: 'Nothing for a minute, and the edge did not end in order. See the alert RingsideHostSilent.',
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
      description: 'How old what is known of the worst host is. Normal is a second or two.',
      ...{ unit: 's', width: 4, warningAt: 10, criticalAt: 60 },
      queries: [{ expr: `max(min by (host) (ringside_host_lag_seconds{${host}}))`, legend: 'behind' }]
    }),
    number({
      title: 'Events lost',
      description: 'A second, of all classes and for all reasons, as edges declare them.',
      ...{ unit: 'eps', width: 4, warningAt: 0.001, criticalAt: 100 },
      queries: [
        {
          expr: `sum(rate(ringside_host_dropped_events_total{${host}}[$__rate_interval])) or vector(0)`,
          legend: 'lost'
        }
      ]
    }),
    number({
      title: 'Dead letters',
      description: 'Messages of the last hour that could not be handled: topic deadletter says why.',
      ...{ unit: 'short', width: 4, warningAt: 1, criticalAt: 100 },
      queries: [
        {
          expr: 'sum(increase(ringside_consumer_published_records_total{record="dead_letter"}[1h])) or vector(0)',
          legend: 'dead letters'
        }
      ]
    }),
    number({
      title: 'Services that do not answer',
      description: 'Targets of the job ringside whose last scrape failed.',
      ...{ unit: 'short', width: 4, warningAt: 1, criticalAt: 2 },
      queries: [{ expr: 'count(up{job="ringside"} == 0) or vector(0)', legend: 'down' }]
    }),
    lines({
      title: 'Calls',
      description: 'System calls a second by host: emitted as events, and counted in the kernel.',
      ...{ unit: 'ops', width: 12, stacked: true },
      queries: [
        {
          expr: `sum by (host, outcome) (rate(ringside_host_calls_total{${host}}[$__rate_interval]))`,
          legend: '{{host}} {{outcome}}'
        }
      ]
    }),
    lines({
      title: 'Events lost',
      description:
        'By class and reason. ring_full: the host makes more than is read; spool_full: Kafka is away too long.',
      ...{ unit: 'eps', width: 12 },
      queries: [
        {
          expr: `sum by (host, class, reason) (rate(ringside_host_dropped_events_total{${host}}[$__rate_interval]))`,
          legend: '{{host}} {{class}} {{reason}}'
        }
      ]
    }),
    lines({
      title: 'How old what is known of each host is',
      description: 'Grows by a second a second for a host of which nothing comes; 0 once its edge has ended in order.',
      ...{ unit: 's', width: 12 },
      queries: [{ expr: `min by (host) (ringside_host_lag_seconds{${host}})`, legend: '{{host}}' }]
    }),
    lines({
      title: 'How far consumers are behind',
      description: 'Age of what was handled last while more waits. Start more instances, up to one for each partition.',
      ...{ unit: 's', width: 12 },
      queries: [{ expr: 'max by (service, topic) (ringside_consumer_lag_seconds)', legend: '{{service}} {{topic}}' }]
    }),
    lines({
      title: 'Calls that rollups do not tell apart, or came too late for',
      description: 'Share of all calls of a host: rows for others (rollups.maxKeys), and late (rollups.latenessMs).',
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
      title: 'Classes that are counted instead of told',
      description: 'To keep within an edge’s CPU budget: rates and latencies stay right, single events are missing.',
      ...{ unit: 'short', width: 12 },
      queries: [{ expr: `max by (host, class) (ringside_host_reduced{${host}})`, legend: '{{host}} {{class}}' }]
    }),
    lines({
      title: 'Records published',
      description: 'By what they are: the work that consumers do.',
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
      description: 'Cores that each service uses; an edge’s programs in the kernel are on the edge’s own dashboard.',
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
      description: 'Resident.',
      ...{ unit: 'bytes', width: 6 },
      queries: [
        {
          expr: 'sum by (service, instance) (process_resident_memory_bytes{job="ringside"})',
          legend: '{{service}} {{instance}}'
        }
      ]
    }),
    table({
      title: 'Alerts that fire',
      description: 'Of the rules in deploy/prometheus; the annotation runbook of each says what to do.',
      ...{ unit: 'short', width: 24 },
      queries: [{ expr: 'ALERTS{alertname=~"Ringside.*", alertstate="firing"}', legend: '', table: true }]
    })
  ]
})
