// Metrics of a service: families whose samples are read at each scrape, not collected for each event.

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One observation of a bucket, with labels that identify its source. */
export interface Exemplar {
  /** OpenMetrics: at most 128 characters of names and values together. */
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Seconds since the epoch. */
  readonly timeSeconds: number
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>
  /** Observations in each bucket (not cumulative), in the order of the family's bounds, then beyond the last bound. */
  readonly buckets: ArrayLike<number>
  readonly sum: number
  /** One for each bucket, or undefined. */
  readonly exemplars?: readonly (Exemplar | undefined)[]
}

interface Family {
  /** As Prometheus recommends: ringside_, component, quantity, unit; a counter ends with _total. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

export interface ScalarFamily extends Family {
  /** A counter decreases only with a new process. */
  readonly kind: 'counter' | 'gauge'
  samples(): Iterable<Sample>
}

export interface HistogramFamily extends Family {
  readonly kind: 'histogram'
  /** Upper bounds, inclusive, ascending. */
  readonly bounds: readonly number[]
  samples(): Iterable<HistogramSample>
}

export type MetricFamily = ScalarFamily | HistogramFamily

/** A family of one sample without labels. */
export const single = (kind: ScalarFamily['kind'], name: string, help: string, read: () => number): ScalarFamily => ({
  name,
  kind,
  help,
  labels: [],
  samples: () => [{ labels: {}, value: read() }]
})
