// Latency, failures and bytes of system calls by host, workload and call.
import { dashboard, heatMap, labelVariable, lines, table } from './panels.ts'

const chosen = 'host=~"$host", workload=~"$workload", call=~"$call"'
const duration = 'ringside_call_duration_seconds'
const rateOf = (metric: string, by: string): string => `sum by (${by}) (rate(${metric}{${chosen}}[$__rate_interval]))`
const quantile = (q: number) => ({
  expr: `histogram_quantile(${q}, ${rateOf(`${duration}_bucket`, 'le')})`,
  legend: `p${q * 100}`,
  exemplar: true
})

export const calls = dashboard({
  uid: 'ringside-calls',
  title: 'Ringside: system calls',
  description: 'System calls of the busiest workloads. All others of a host have the workload "other".',
  variables: [
    labelVariable('host', `${duration}_count`),
    labelVariable('workload', `${duration}_count`, 'host=~"$host"'),
    labelVariable('call', `${duration}_count`, 'host=~"$host", workload=~"$workload"')
  ],
  panels: [
    heatMap({
      title: 'Durations',
      description: 'Calls by duration. Each row is twice as long as the row below. Two bands are two kinds of calls.',
      ...{ unit: 's', width: 24, height: 11 },
      queries: [
        {
          expr: `sum by (le) (increase(${duration}_bucket{${chosen}}[$__rate_interval]))`,
          ...{ legend: '{{le}}', heatmap: true, exemplar: true }
        }
      ]
    }),
    lines({
      title: 'Percentiles',
      description:
        'All selected calls together, within a power of two; topic rollups has them within 1.6%. An exemplar is one slow event: find it with ringside tail events --where and its cpu and seq.',
      ...{ unit: 's', width: 12 },
      queries: [quantile(0.5), quantile(0.9), quantile(0.99)]
    }),
    lines({
      title: 'p99 by call',
      description: 'The ten slowest calls.',
      ...{ unit: 's', width: 12 },
      queries: [
        {
          expr: `topk(10, histogram_quantile(0.99, ${rateOf(`${duration}_bucket`, 'workload, call, le')}))`,
          legend: '{{workload}} {{call}}'
        }
      ]
    }),
    lines({
      title: 'Calls',
      description: 'Per second, the ten most frequent.',
      ...{ unit: 'ops', width: 12 },
      queries: [{ expr: `topk(10, ${rateOf(`${duration}_count`, 'workload, call')})`, legend: '{{workload}} {{call}}' }]
    }),
    lines({
      title: 'Share of failed calls',
      description: 'By errno. Expected errors, such as EAGAIN and EINPROGRESS, are not included.',
      ...{ unit: 'percentunit', width: 12 },
      queries: [
        {
          expr: `sum by (call, errno) (rate(ringside_call_errnos_total{${chosen}, verdict="failed"}[$__rate_interval])) / ignoring (errno) group_left () sum by (call) (rate(${duration}_count{${chosen}}[$__rate_interval])) > 0`,
          legend: '{{call}} {{errno}}'
        }
      ]
    }),
    lines({
      title: 'Time spent in calls',
      description:
        'Seconds per second, the ten highest. 1 is one thread that is always in this call. Most of the time is waiting.',
      ...{ unit: 'short', width: 12 },
      queries: [{ expr: `topk(10, ${rateOf(`${duration}_sum`, 'workload, call')})`, legend: '{{workload}} {{call}}' }]
    }),
    lines({
      title: 'Bytes moved',
      description: 'Bytes per second of read, write, sendto and sendmsg.',
      ...{ unit: 'Bps', width: 12 },
      queries: [
        { expr: `topk(10, ${rateOf('ringside_call_bytes_total', 'workload, call')})`, legend: '{{workload}} {{call}}' }
      ]
    }),
    table({
      title: 'Errors',
      description:
        'Current errors per second by verdict, host, workload, call and errno. Only failed ones are failures.',
      ...{ unit: 'ops', width: 16 },
      queries: [
        {
          expr: `topk(50, sum by (verdict, host, workload, call, errno) (rate(ringside_call_errnos_total{${chosen}}[5m])) > 0)`,
          ...{ legend: '', table: true }
        }
      ]
    }),
    lines({
      title: 'Calls beyond metrics.series',
      description: 'Per second. These calls are in the series with workload and call "other".',
      ...{ unit: 'ops', width: 8 },
      queries: [
        {
          expr: 'sum by (host) (rate(ringside_call_overflow_total{host=~"$host"}[$__rate_interval]))',
          legend: '{{host}}'
        }
      ]
    })
  ]
})
