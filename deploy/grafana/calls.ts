// Latency, errors and bytes of system calls by host, workload and call.
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
  title: 'Ringside: latency of calls',
  description: 'System calls of the busiest workloads; all others of a host are under "other".',
  variables: [
    labelVariable('host', `${duration}_count`),
    labelVariable('workload', `${duration}_count`, 'host=~"$host"'),
    labelVariable('call', `${duration}_count`, 'host=~"$host", workload=~"$workload"')
  ],
  panels: [
    heatMap({
      title: 'Durations',
      description: 'Calls by duration, each row twice as long as the one below. A second band is another kind of call.',
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
        'Of the chosen calls together, to within a power of two: topic rollups has them within 1.6%. An exemplar is a slow event: ringside tail events --where with its cpu and seq.',
      ...{ unit: 's', width: 12 },
      queries: [quantile(0.5), quantile(0.9), quantile(0.99)]
    }),
    lines({
      title: 'p99 by call',
      description: 'The ten slowest.',
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
      description: 'A second; the ten most frequent.',
      ...{ unit: 'ops', width: 12 },
      queries: [{ expr: `topk(10, ${rateOf(`${duration}_count`, 'workload, call')})`, legend: '{{workload}} {{call}}' }]
    }),
    lines({
      title: 'Share of calls that fail',
      description: 'By errno, of all chosen calls. EAGAIN and EINPROGRESS are how non-blocking sockets work.',
      ...{ unit: 'percentunit', width: 12 },
      queries: [
        {
          expr: `sum by (call, errno) (rate(ringside_call_errors_total{${chosen}}[$__rate_interval])) / ignoring (errno) group_left () sum by (call) (rate(${duration}_count{${chosen}}[$__rate_interval])) > 0`,
          legend: '{{call}} {{errno}}'
        }
      ]
    }),
    lines({
      title: 'Time spent in calls',
      description:
        'Seconds a second, the ten greatest: 1 is one thread that is always in this call. Most of it is waiting.',
      ...{ unit: 'short', width: 12 },
      queries: [{ expr: `topk(10, ${rateOf(`${duration}_sum`, 'workload, call')})`, legend: '{{workload}} {{call}}' }]
    }),
    lines({
      title: 'Bytes moved',
      description: 'By read, write, sendto and sendmsg.',
      ...{ unit: 'Bps', width: 12 },
      queries: [
        { expr: `topk(10, ${rateOf('ringside_call_bytes_total', 'workload, call')})`, legend: '{{workload}} {{call}}' }
      ]
    }),
    table({
      title: 'Failing calls',
      description: 'Errors a second by host, workload, call and errno, now.',
      ...{ unit: 'ops', width: 16 },
      queries: [
        {
          expr: `topk(50, sum by (host, workload, call, errno) (rate(ringside_call_errors_total{${chosen}}[5m])) > 0)`,
          ...{ legend: '', table: true }
        }
      ]
    }),
    lines({
      title: 'Calls without a series of their own',
      description: 'A second. metrics.series says how many have one.',
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
