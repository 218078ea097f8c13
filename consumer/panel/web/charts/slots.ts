// What the charts draw from: one place for each window of the time shown, whether there is a point for it or not. Pure.
import type { Point } from '../../protocol.ts'
import type { Model } from '../state/model.ts'

export interface Slots {
  readonly windowMs: number
  readonly fromMs: number
  readonly toMs: number
  /** Starts of the windows. */
  readonly times: readonly number[]
  readonly points: readonly (Point | undefined)[]
  /** False while what is looked at has not come yet. */
  readonly isFilled: boolean
}

export const slotsOf = (model: Model, nowMs: number): Slots => {
  const { windowMs } = model
  const { fromMs, toMs } = model.shown(nowMs)
  return { windowMs, fromMs, toMs, isFilled: model.isFilled, ...model.series.slots(fromMs, toMs, windowMs) }
}

/** Where a window is on the axis of time: its middle, seconds. */
export const middles = ({ times, windowMs }: Slots): number[] => times.map((time) => (time + windowMs / 2) / 1000)

export type Measure = (point: Point, windowMs: number) => number | null

/** A measure of the windows that have ended, and the same of those that are still open: each null where it is not. */
export const measured = ({ points, windowMs }: Slots, measure: Measure): [(number | null)[], (number | null)[]] => [
  points.map((point) => (point?.complete === true ? measure(point, windowMs) : null)),
  points.map((point) => (point?.complete === false ? measure(point, windowMs) : null))
]

export const callsPerSecond: Measure = ({ count }, windowMs) => (count * 1000) / windowMs
export const errorsPerSecond: Measure = ({ errors }, windowMs) => (errors * 1000) / windowMs
export const errorShare: Measure = ({ count, errors }) => (count > 0 ? errors / count : null)

/** A percentile, of windows that have calls. */
export const percentile =
  (name: 'p50' | 'p95' | 'p99'): Measure =>
  (point) =>
    point.count > 0 ? Math.max(1, point[name]) : null
