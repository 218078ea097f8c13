// The data of the charts: one slot per window of the time range, with its point where there is one. Pure.
import type { Point } from '../../protocol.ts'
import type { Model } from '../state/model.ts'

export interface Slots {
  readonly windowMs: number
  readonly fromMs: number
  readonly toMs: number
  /** Starts of the windows. */
  readonly times: readonly number[]
  readonly points: readonly (Point | undefined)[]
  /** False until the points of the current view have arrived. */
  readonly isFilled: boolean
}

export const slotsOf = (model: Model, nowMs: number): Slots => {
  const { windowMs } = model
  const { fromMs, toMs } = model.shown(nowMs)
  return { windowMs, fromMs, toMs, isFilled: model.isFilled, ...model.series.slots(fromMs, toMs, windowMs) }
}

export type ChartState = 'loading' | 'empty' | 'stale' | 'current'

/** @param isStale no new data arrives */
export const chartState = ({ isFilled, points }: Slots, isStale: boolean): ChartState => {
  if (points.some((point) => point !== undefined)) return isStale ? 'stale' : 'current'
  return isFilled ? 'empty' : 'loading'
}

/** The position of each window on the time axis, in seconds: its middle. */
export const middles = ({ times, windowMs }: Slots): number[] => times.map((time) => (time + windowMs / 2) / 1000)

export type Measure = (point: Point, windowMs: number) => number | null

/** The values of closed windows and those of open windows: each list is null where the other has a value. */
export const measured = ({ points, windowMs }: Slots, measure: Measure): [(number | null)[], (number | null)[]] => [
  points.map((point) => (point?.complete === true ? measure(point, windowMs) : null)),
  points.map((point) => (point?.complete === false ? measure(point, windowMs) : null))
]

export const callsPerSecond: Measure = ({ count }, windowMs) => (count * 1000) / windowMs
export const failedPerSecond: Measure = ({ failed }, windowMs) => (failed * 1000) / windowMs
/** At most 1: a connect that fails after its window has closed is counted in a later one. Null for a window without calls. */
export const failedShare: Measure = ({ count, failed }) => (count > 0 ? Math.min(1, failed / count) : null)

/** Null for a window without calls. */
export const percentile =
  (name: 'p50' | 'p95' | 'p99'): Measure =>
  (point) =>
    point.count > 0 ? Math.max(1, point[name]) : null
