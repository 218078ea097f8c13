// What prom-client knows of every Node process (CPU time, memory, descriptors, event loop, garbage collection), as
// families like our own.
import { collectDefaultMetrics, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client'
import type { HistogramSample, MetricFamily, Sample } from './metric.ts'

/** Every 100 ms is enough to see a loop that hangs, and wakes an idle process a tenth as often as the default. */
const eventLoopPrecisionMs = 100

type Told = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>

const textLabels = (labels: object): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]))

const histogramSamples = ({ name, values }: Told): HistogramSample[] => {
  const samples = new Map<string, { labels: Record<string, string>; buckets: number[]; sum: number }>()
  const seen = new Map<string, number>()
  for (const { labels, metricName, value } of values) {
    const { le: _, ...own } = labels as Record<string, string | number>
    const key = JSON.stringify(own)
    const sample = samples.get(key) ?? { labels: textLabels(own), buckets: [], sum: 0 }
    samples.set(key, sample)
    if (metricName === `${name}_sum`) sample.sum = value
    if (metricName !== `${name}_bucket`) continue
    // They come in order, cumulative, the infinite one last.
    sample.buckets.push(value - (seen.get(key) ?? 0))
    seen.set(key, value)
  }
  return [...samples.values()]
}

const boundsOf = ({ values }: Told): number[] => {
  const bounds = values.map(({ labels }) => Number((labels as Record<string, string | number>)['le'] ?? Number.NaN))
  return [...new Set(bounds.filter((bound) => Number.isFinite(bound)))]
}

const familyOf = (told: Told): MetricFamily => {
  const common = { name: told.name, help: told.help.endsWith('.') ? told.help : `${told.help}.`, labels: [] }
  // Typed as an enum, which the JSON has as its name.
  const kind = String(told.type)
  if (kind === 'histogram') return { ...common, kind, bounds: boundsOf(told), samples: () => histogramSamples(told) }
  const samples: Sample[] = told.values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ labels: textLabels(labels), value }))
  return { ...common, kind: kind === 'counter' ? 'counter' : 'gauge', samples: () => samples }
}

export interface NodeMetrics {
  /** As of now. */
  read(): Promise<MetricFamily[]>
  close(): void
}

/** Begins to watch the event loop and the garbage collector. */
export const watchNode = (): NodeMetrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopPrecisionMs })
  // Gauges that are named as counters are; each is the sum of the family without the ending.
  for (const { name, type } of registry.getMetricsAsArray()) {
    if (name.endsWith('_total') && String(type) === 'gauge') registry.removeSingleMetric(name)
  }
  return {
    read: async () => ((await registry.getMetricsAsJSON()) as unknown as Told[]).map(familyOf),
    close: () => registry.clear()
  }
}
