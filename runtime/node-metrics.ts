// Metrics of every Node process from prom-client (CPU time, memory, file descriptors, event loop, garbage collection), as
// metric families.
import { collectDefaultMetrics, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client'
import type { HistogramSample, MetricFamily, Sample } from './metric-family.ts'

/** Shows a blocked event loop, and wakes an idle process a tenth as often as the default of 10 ms. */
const eventLoopPrecisionMs = 100

type NodeMetric = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>

const textLabels = (labels: object): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]))

const histogramSamples = ({ name, values }: NodeMetric): HistogramSample[] => {
  const samples = new Map<string, { labels: Record<string, string>; buckets: number[]; sum: number }>()
  const seen = new Map<string, number>()
  for (const { labels, metricName, value } of values) {
    const { le: _, ...own } = labels as Record<string, string | number>
    const key = JSON.stringify(own)
    const sample = samples.get(key) ?? { labels: textLabels(own), buckets: [], sum: 0 }
    samples.set(key, sample)
    if (metricName === `${name}_sum`) sample.sum = value
    if (metricName !== `${name}_bucket`) continue
    // In ascending order, cumulative, +Inf last.
    sample.buckets.push(value - (seen.get(key) ?? 0))
    seen.set(key, value)
  }
  return [...samples.values()]
}

const boundsOf = ({ values }: NodeMetric): number[] => {
  const bounds = values.map(({ labels }) => Number((labels as Record<string, string | number>)['le'] ?? Number.NaN))
  return [...new Set(bounds.filter((bound) => Number.isFinite(bound)))]
}

const familyOf = (metric: NodeMetric): MetricFamily => {
  const common = { name: metric.name, help: metric.help.endsWith('.') ? metric.help : `${metric.help}.`, labels: [] }
  // Declared as an enum; the JSON has its name.
  const kind = String(metric.type)
  if (kind === 'histogram')
    return { ...common, kind, bounds: boundsOf(metric), samples: () => histogramSamples(metric) }
  const samples: Sample[] = metric.values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ labels: textLabels(labels), value }))
  return { ...common, kind: kind === 'counter' ? 'counter' : 'gauge', samples: () => samples }
}

export interface NodeMetrics {
  /** Current values. */
  read(): Promise<MetricFamily[]>
  close(): void
}

/** Starts to observe event loop and garbage collector. */
export const watchNode = (): NodeMetrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopPrecisionMs })
  // Gauges with names of counters; each is the sum of the family without the suffix.
  for (const { name, type } of registry.getMetricsAsArray()) {
    if (name.endsWith('_total') && String(type) === 'gauge') registry.removeSingleMetric(name)
  }
  return {
    read: async () => ((await registry.getMetricsAsJSON()) as unknown as NodeMetric[]).map(familyOf),
    close: () => registry.clear()
  }
}
