// What a service tells of itself as metrics: families of samples, read when somebody asks, never for each event.

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricFamily {
  /** As Prometheus wants it: ringside_, the room, what, the unit; `_total` ends a counter. */
  readonly name: string
  /** A counter never goes back but with a new process. */
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  samples(): Iterable<Sample>
}

/** A family of one sample without labels. */
export const single = (kind: MetricFamily['kind'], name: string, help: string, read: () => number): MetricFamily => ({
  name,
  kind,
  help,
  labels: [],
  samples: () => [{ labels: {}, value: read() }]
})
