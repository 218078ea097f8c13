// Compares the current span of one (host, workload, call) with its baseline, by latency or by rate. A deviation is large,
// unlike every part of the baseline, larger than the parts differ among themselves, and unlikely by chance.
import type { Config } from '../../../runtime/config.ts'
import { Sketch } from '../../../wire/sketch.ts'
import type { Bucket } from '../../../wire/types.ts'
import type { History, Part } from './history.ts'
import { distance, probability } from './kolmogorov-smirnov.ts'

export const driftKinds = ['latency', 'rate'] as const
export type DriftKind = (typeof driftKinds)[number]

export type Thresholds = Config['alerts']['drift']

/** Result of a comparison, whether it is a deviation or not. */
export interface Finding {
  readonly kind: DriftKind
  /** D of current span and baseline, 0 to 1. */
  readonly distance: number
  /** D of current span and the most similar part of the baseline. */
  readonly nearestDistance: number
  /** D of the baseline and its least similar part. */
  readonly variation: number
  /** Probability that two samples of one distribution are this far apart. */
  readonly probability: number
  /** Number of values compared: calls for latency, windows for rate. */
  readonly n: number
  readonly baselineN: number
  /** The quantile that changed most, and its values: nanoseconds, or calls in a window. */
  readonly quantile: number
  readonly from: number
  readonly to: number
  /** Within every bound except the one on chance, which depends on the number of tests. */
  readonly isLarge: boolean
}

const latencyQuantiles = [0.25, 0.5, 0.75, 0.9, 0.99]
/** The median alone: a span has too few windows for more. */
const rateQuantiles = [0.5]
/** Share of the baseline's parts with enough values that a new drift needs. An active drift needs `minParts`. */
const minShare = 0.5
const minParts = 3

interface Sample {
  readonly n: number
  readonly buckets: readonly Bucket[]
  valuesAt(qs: readonly number[]): readonly number[]
}

const latencySample = (sketch: Sketch): Sample => ({
  n: sketch.count,
  buckets: sketch.buckets(),
  valuesAt: (qs) => sketch.quantiles(qs)
})

/** A bucket for each number of calls. */
const rateSample = (counts: readonly number[]): Sample => {
  const sorted = counts.toSorted((a, b) => a - b)
  const windows = new Map<number, number>()
  for (const count of sorted) windows.set(count, (windows.get(count) ?? 0) + 1)
  return {
    n: counts.length,
    buckets: [...windows].map(([index, count]) => ({ index, count })),
    valuesAt: (qs) => qs.map((q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0)
  }
}

interface Samples {
  readonly current: Sample
  readonly parts: readonly Sample[]
  readonly baseline: Sample
}

const merged = (sketches: readonly Sketch[]): Sketch => {
  const sum = new Sketch()
  for (const sketch of sketches) sum.merge(sketch)
  return sum
}

const latencySamples = ({ current }: History, parts: readonly Part[], minCalls: number): Samples | undefined => {
  const now = merged(current.map(({ latency }) => latency))
  if (now.count < minCalls) return undefined
  const sketches = parts.map(({ latency }) => latency).filter(({ count }) => count >= minCalls)
  return { current: latencySample(now), parts: sketches.map(latencySample), baseline: latencySample(merged(sketches)) }
}

const rateSamples = ({ current }: History, parts: readonly Part[], minCalls: number): Samples | undefined => {
  const now = current.map(({ count }) => count)
  const counts = parts.map((part) => part.counts).filter(({ length }) => length >= now.length)
  const sums = [now, ...counts].map((part) => part.reduce((a, b) => a + b, 0))
  // The rate of a few calls is random.
  if (Math.max(...sums) < minCalls) return undefined
  return { current: rateSample(now), parts: counts.map(rateSample), baseline: rateSample(counts.flat()) }
}

/** Ratio of two values; 0 counts as 1. */
export const ratioOf = (from: number, to: number): number => Math.max(1, to) / Math.max(1, from)

/** A ratio up or down: 3 for three times as many and for a third. */
export const factorOf = (from: number, to: number): number => Math.max(ratioOf(from, to), ratioOf(to, from))

/** The quantile that changed by the largest factor. */
const largestChange = (current: Sample, baseline: Sample, qs: readonly number[]) => {
  const [to, from] = [current.valuesAt(qs), baseline.valuesAt(qs)]
  const changes = qs.map((quantile, i) => {
    const [a, b] = [from[i] as number, to[i] as number]
    return { quantile, from: a, to: b, factor: factorOf(a, b) }
  })
  return changes.reduce((largest, change) => (change.factor > largest.factor ? change : largest))
}

/**
 * @param sinceUs start of the active drift, whose baseline ends before it; undefined without one
 * @returns undefined when there are too few values to compare
 */
export const findDeviation = (
  kind: DriftKind,
  history: History,
  thresholds: Thresholds,
  sinceUs: number | undefined
): Finding | undefined => {
  const isLatency = kind === 'latency'
  const startUs = sinceUs ?? history.current[0]?.startUs ?? 0
  const samplesOf = isLatency ? latencySamples : rateSamples
  const samples = samplesOf(history, history.baselineFor(startUs), thresholds.minCalls)
  const wanted = sinceUs === undefined ? minShare * (thresholds.baselineSeconds / thresholds.currentSeconds) : 0
  if (samples === undefined || samples.parts.length < Math.max(minParts, wanted)) return undefined
  const { current, parts, baseline } = samples
  const change = largestChange(current, baseline, isLatency ? latencyQuantiles : rateQuantiles)
  const d = distance(current.buckets, baseline.buckets)
  const nearestDistance = Math.min(...parts.map(({ buckets }) => distance(current.buckets, buckets)))
  const variation = Math.max(...parts.map(({ buckets }) => distance(buckets, baseline.buckets)))
  const [minDistance, minRatio, minShift] = isLatency
    ? [thresholds.minDistance, thresholds.minRatio, thresholds.minShiftUs * 1000]
    : [thresholds.minRateDistance, thresholds.minRateRatio, 1]
  const hasMoved = change.factor >= minRatio && Math.abs(change.to - change.from) >= minShift
  const isUnlike = nearestDistance >= minDistance && d >= Math.min(1, thresholds.minContrast * variation)
  return {
    kind,
    distance: d,
    nearestDistance,
    variation,
    probability: probability(d, current.n, baseline.n),
    n: current.n,
    baselineN: baseline.n,
    quantile: change.quantile,
    from: change.from,
    to: change.to,
    isLarge: hasMoved && isUnlike
  }
}
