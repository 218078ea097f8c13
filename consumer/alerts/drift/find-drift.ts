// Whether one (host, workload, call) is not as it was: the windows of now against the reference, by latency and by rate.
// A shift must be large, unlike every part of the reference, more than its parts differ among themselves, and rarer by
// chance than asked for.
import type { Config } from '../../../runtime/config.ts'
import { Sketch } from '../../../wire/sketch.ts'
import type { Bucket } from '../../../wire/types.ts'
import type { History, Slot } from './history.ts'
import { distance, probability } from './kolmogorov-smirnov.ts'

export const driftKinds = ['latency', 'rate'] as const
export type DriftKind = (typeof driftKinds)[number]

export type Thresholds = Config['alerts']['drift']

/** What a test found, whether it is a drift or not. */
export interface Finding {
  readonly kind: DriftKind
  /** Of now and the reference, 0 to 1. */
  readonly distance: number
  /** Of now and the part of the reference that is most like it. */
  readonly nearest: number
  /** Of the reference and the part of it that is least like it: what is usual. */
  readonly unrest: number
  /** That one distribution gives samples as far apart. */
  readonly probability: number
  /** Values compared: calls, or for a rate windows. */
  readonly n: number
  readonly referenceN: number
  /** Where the two differ most: nanoseconds, or calls a window, at this quantile. */
  readonly quantile: number
  readonly from: number
  readonly to: number
  /** Beyond every bound but that on chance, which depends on how much is tested. */
  readonly isLarge: boolean
}

const quantiles = [0.25, 0.5, 0.75, 0.9, 0.99]
/** Share of the reference's parts that must have values enough before a drift begins; afterwards a few are. */
const minShare = 0.5
const minParts = 3
/** A median alone: single windows are too few for more. */
const rateQuantiles = [0.5]

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

/** Each count of calls is a bucket of its own. */
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

interface Compared {
  readonly now: Sample
  readonly parts: readonly Sample[]
  readonly reference: Sample
}

const merged = (sketches: readonly Sketch[]): Sketch => {
  const sum = new Sketch()
  for (const sketch of sketches) sum.merge(sketch)
  return sum
}

const latencyOf = ({ current }: History, slots: readonly Slot[], minCalls: number): Compared | undefined => {
  const now = merged(current.map(({ latency }) => latency))
  if (now.count < minCalls) return undefined
  const parts = slots.map(({ latency }) => latency).filter(({ count }) => count >= minCalls)
  const reference = merged(parts)
  return { now: latencySample(now), parts: parts.map(latencySample), reference: latencySample(reference) }
}

const rateOf = ({ current }: History, slots: readonly Slot[], minCalls: number): Compared | undefined => {
  const counts = current.map(({ count }) => count)
  const parts = slots.map((slot) => slot.counts).filter(({ length }) => length >= counts.length)
  const sums = [counts, ...parts].map((part) => part.reduce((a, b) => a + b, 0))
  // Of a handful of calls a rate is chance.
  if (Math.max(...sums) < minCalls) return undefined
  return { now: rateSample(counts), parts: parts.map(rateSample), reference: rateSample(parts.flat()) }
}

/** The quantile that moved by the largest factor, up or down; where one side is 0, that counts as 1. */
const widest = (now: Sample, reference: Sample, qs: readonly number[]) => {
  const [to, from] = [now.valuesAt(qs), reference.valuesAt(qs)]
  const moves = qs.map((quantile, i) => {
    const [a, b] = [from[i] as number, to[i] as number]
    const ratio = Math.max(1, b) / Math.max(1, a)
    return { quantile, from: a, to: b, factor: Math.max(ratio, 1 / ratio) }
  })
  return moves.reduce((most, move) => (move.factor > most.factor ? move : most))
}

/**
 * Tests one kind.
 * @param sinceUs when a drift that is on began: what was before it stays the reference; undefined: there is none on
 * @returns undefined where there is too little to say anything
 */
export const findDrift = (
  kind: DriftKind,
  history: History,
  thresholds: Thresholds,
  sinceUs: number | undefined
): Finding | undefined => {
  const beganUs = sinceUs ?? history.current[0]?.startUs ?? 0
  const compared = (kind === 'latency' ? latencyOf : rateOf)(
    history,
    history.referenceFor(beganUs),
    thresholds.minCalls
  )
  const wanted = sinceUs === undefined ? minShare * (thresholds.referenceSeconds / thresholds.currentSeconds) : 0
  if (compared === undefined || compared.parts.length < Math.max(minParts, wanted)) return undefined
  const { now, parts, reference } = compared
  const moved = widest(now, reference, kind === 'latency' ? quantiles : rateQuantiles)
  const d = distance(now.buckets, reference.buckets)
  const nearest = Math.min(...parts.map(({ buckets }) => distance(now.buckets, buckets)))
  const unrest = Math.max(...parts.map(({ buckets }) => distance(buckets, reference.buckets)))
  const [minDistance, minRatio, minShift] =
    kind === 'latency'
      ? [thresholds.minDistance, thresholds.minRatio, thresholds.minShiftUs * 1000]
      : [thresholds.minRateDistance, thresholds.minRateRatio, 1]
  const hasMoved = moved.factor >= minRatio && Math.abs(moved.to - moved.from) >= minShift
  const isUnlike = nearest >= minDistance && d >= Math.min(1, thresholds.minContrast * unrest)
  return {
    kind,
    distance: d,
    nearest,
    unrest,
    probability: probability(d, now.n, reference.n),
    n: now.n,
    referenceN: reference.n,
    quantile: moved.quantile,
    from: moved.from,
    to: moved.to,
    isLarge: hasMoved && isUnlike
  }
}
