// Which cells a heat map of latencies has: a column for each window, a row for each power of two of nanoseconds, a
// level of colour from how many calls. Pure.
import type { Point } from '../protocol.ts'

/** Steps of the ramp of colours: neighbours can just be told apart. */
export const levels = 24

export interface HeatCell {
  /** Place of the window among the slots. */
  readonly slot: number
  readonly octave: number
  readonly count: number
}

export interface HeatMap {
  readonly cells: readonly HeatCell[]
  /** The lowest octave that is shown, and the one after the highest: the same few while the data stays about the same. */
  readonly fromOctave: number
  readonly toOctave: number
  /** The fullest cell. */
  readonly maxCount: number
}

/** From 512 ns to 16 ms: what most calls take, so that the picture does not jump while little is going on. */
const usualOctaves = [9, 24] as const

export const heatMapOf = (points: readonly (Point | undefined)[]): HeatMap => {
  const cells = points.flatMap((point, slot) => (point?.heat ?? []).map(([octave, count]) => ({ slot, octave, count })))
  let [fromOctave, toOctave]: readonly number[] = usualOctaves
  let maxCount = 0
  for (const { octave, count } of cells) {
    fromOctave = Math.min(fromOctave as number, octave)
    toOctave = Math.max(toOctave as number, octave + 1)
    maxCount = Math.max(maxCount, count)
  }
  return { cells, fromOctave: fromOctave as number, toOctave: toOctave as number, maxCount }
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
