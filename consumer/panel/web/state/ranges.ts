// How far back the charts go, and in which windows. Pure.

export interface Range {
  readonly name: string
  readonly ms: number
}

const minuteMs = 60_000

export const ranges = [
  { name: '5m', ms: 5 * minuteMs },
  { name: '15m', ms: 15 * minuteMs },
  { name: '2h', ms: 120 * minuteMs },
  { name: '24h', ms: 1440 * minuteMs }
] as const satisfies readonly Range[]

export const defaultRange: Range = ranges[0]

/** More points than a chart of the widest screens has pixels for say nothing more. */
const maxPoints = 1500

/**
 * The shortest windows of which the service still keeps the range, and of which no more than 1,500 fit in it; where there
 * are none, those that are kept the longest.
 * @param agoMs how long ago the range ended; @param windowsMs lengths of the windows; @param keptMs how far back those of
 *   each length go
 */
export const windowFor = (
  rangeMs: number,
  agoMs: number,
  windowsMs: readonly number[],
  keptMs: readonly number[]
): number => {
  const windows = windowsMs.map((ms, index) => ({ ms, kept: keptMs[index] ?? 0 })).sort((a, b) => a.ms - b.ms)
  const fitting = windows.find(({ ms, kept }) => kept >= agoMs + rangeMs && rangeMs / ms <= maxPoints)
  return (fitting ?? windows.toSorted((a, b) => b.kept - a.kept)[0])?.ms ?? 1000
}
