// Which cells a heat map of latencies has: a column for each window, a row for each power of two of nanoseconds, a
// level of colour from how many calls. Pure.
import type { Point } from '../../protocol.ts'

/** Steps of the ramp of colours: neighbours can just be told apart. */
export const levels = 24

export interface HeatMap {
  /** The lowest octave that is shown, and the one after the highest: the same few while the data stays about the same. */
  readonly fromOctave: number
  readonly toOctave: number
  /** The fullest cell. */
  readonly maxCount: number
}

/** From 512 ns to 16 ms: what most calls take, so that the picture does not jump while little is going on. */
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

/** Places among the slots and octaves of the cells of each level, in pairs: all of one colour are painted at once. */
export const cellsByLevel = (points: readonly (Point | undefined)[], maxCount: number): number[][] => {
  const cells = Array.from({ length: levels }, (): number[] => [])
  for (const [slot, point] of points.entries()) {
    for (const [octave, count] of point?.heat ?? []) cells[levelOf(count, maxCount)]?.push(slot, octave)
  }
  return cells
}

/**
 * Counts of latencies span orders of magnitude, and the one slow call is what one looks for: levels go by the logarithm.
 * @returns 0 for one call to levels - 1 for the most
 */
export const levelOf = (count: number, maxCount: number): number =>
  maxCount <= 1 ? levels - 1 : Math.round((Math.log(Math.max(1, count)) / Math.log(maxCount)) * (levels - 1))

/** Counts that a legend names, from 1 to the most, evenly along the ramp. */
export const legendCounts = (maxCount: number, ticks = 5): number[] => {
  const counts = Array.from({ length: ticks }, (_, tick) => Math.round(Math.max(1, maxCount) ** (tick / (ticks - 1))))
  return [...new Set(counts)]
}

/** Nanoseconds of an octave's first value and of the one after its last. */
export const octaveBounds = (octave: number): readonly [number, number] => [2 ** octave, 2 ** (octave + 1)]
