// The figures that metrics expose of one (host, workload, call).
import type { HistogramSample } from '../../runtime/metric-family.ts'
import { octaveBoundsNs, type Sums } from './published-sums.ts'

export interface CallSeries {
  readonly labels: Readonly<Record<'host' | 'workload' | 'call', string>>
  /** Calls by octave of their duration. */
  readonly buckets: Float64Array
  readonly exemplars: HistogramSample['exemplars'] & unknown[]
  /** Results that are errors, as Sums.errors. */
  readonly errors: Map<string, number>
  totalNs: number
  bytes: number
}

export const createCallSeries = (host: string, workload: string, call: string): CallSeries => ({
  labels: { host, workload, call },
  buckets: new Float64Array(octaveBoundsNs.length + 1),
  exemplars: [],
  errors: new Map(),
  totalNs: 0,
  bytes: 0
})

export const addSums = (series: CallSeries, { totalNs, bytes, errors, octaves }: Sums): void => {
  series.totalNs += totalNs
  series.bytes += bytes
  for (const [key, count] of errors) series.errors.set(key, (series.errors.get(key) ?? 0) + count)
  for (let i = 0; i < octaves.length; i++) series.buckets[i] = (series.buckets[i] as number) + (octaves[i] as number)
}
