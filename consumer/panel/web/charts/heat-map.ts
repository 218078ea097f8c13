// The cells of the latency heat map: a column per window, a row per power of two of nanoseconds, a colour level from the
// number of calls. Pure.
import type { Point } from '../../protocol.ts'

/** Steps of the colour ramp: neighbours are just distinguishable. */
export const levels = 24

export interface HeatMap {
  /** The lowest octave shown, and the one after the highest. */
  readonly fromOctave: number
  readonly toOctave: number
  /** Calls in the fullest cell. */
  readonly maxCount: number
}

/** 512 ns to 16 ms, the range of most calls: always shown, so that the axis does not jump while there are few calls. */
const usualOctaves = [9, 24] as const

export const heatMapOf = (points: readonly (Point | undefined)[]): HeatMap => {
  let [fromOctave, toOctave]: readonly number[] = usualOctaves
  let maxCount = 0
  for (const point of points) {
    for (const [octave, count] of point?.heat ?? []) {
      if (octave < (fromOctave as number)) fromOctave = octave
      if (octave >= (toOctave as number)) toOctave = octave + 1
      if (count > maxCount) maxCount = count
    }
  }
  return { fromOctave: fromOctave as number, toOctave: toOctave as number, maxCount }
}

/** The cells of each level as pairs of slot and octave: cells of one colour are painted together. */
export const cellsByLevel = (points: readonly (Point | undefined)[], maxCount: number): number[][] => {
  const cells = Array.from({ length: levels }, (): number[] => [])
  for (const [slot, point] of points.entries()) {
    for (const [octave, count] of point?.heat ?? []) cells[levelOf(count, maxCount)]?.push(slot, octave)
  }
  return cells
}

/**
 * Levels are logarithmic: counts span orders of magnitude, and a single slow call must be visible.
 * @returns 0 for one call, levels - 1 for maxCount
 */
export const levelOf = (count: number, maxCount: number): number =>
  maxCount <= 1 ? levels - 1 : Math.round((Math.log(Math.max(1, count)) / Math.log(maxCount)) * (levels - 1))

/** The counts in the legend, from 1 to maxCount, evenly spaced on the ramp. */
export const legendCounts = (maxCount: number, ticks = 5): number[] => {
  const counts = Array.from({ length: ticks }, (_, tick) => Math.round(Math.max(1, maxCount) ** (tick / (ticks - 1))))
  return [...new Set(counts)]
}

/** An octave's lowest duration and its exclusive upper bound, in nanoseconds. */
export const octaveBounds = (octave: number): readonly [number, number] => [2 ** octave, 2 ** (octave + 1)]
