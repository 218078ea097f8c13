// What a service tells of itself as metrics: families of samples, read when somebody asks, never for each event.

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One observation out of a bucket that leads to where it came from. */
export interface Exemplar {
  /** Names and values are at most 128 characters together, as OpenMetrics asks. */
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Seconds since the epoch. */
  readonly timeSeconds: number
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>
  /** Observations of each bucket alone, in the order of the family's bounds, then those beyond the last bound. */
  readonly buckets: ArrayLike<number>
  readonly sum: number
  /** Of the same buckets; undefined where there is none. */
  readonly exemplars?: readonly (Exemplar | undefined)[]
}

interface Family {
  /** As Prometheus wants it: ringside_, the room, what, the unit; `_total` ends a counter. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

export interface ScalarFamily extends Family {
  /** A counter never goes back but with a new process. */
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
