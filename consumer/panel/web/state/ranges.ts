// The time ranges of the charts, and the window length of each. Pure.

export interface Range {
  /** On its button and in the page's address. */
  readonly name: string
  readonly text: string
  readonly ms: number
}

const minuteMs = 60_000

export const ranges = [
  { name: '5m', text: '5 minutes', ms: 5 * minuteMs },
  { name: '15m', text: '15 minutes', ms: 15 * minuteMs },
  { name: '2h', text: '2 hours', ms: 120 * minuteMs },
  { name: '24h', text: '24 hours', ms: 1440 * minuteMs }
] as const satisfies readonly Range[]

export const defaultRange: Range = ranges[0]

/** The pixels of a chart on a wide screen: more points show nothing more. */
const maxPoints = 1500

/**
 * The shortest window length that the service keeps for the whole range, with at most 1,500 windows in it; if there is
 * none, the length that is kept longest.
 * @param agoMs time since the end of the range; @param windowsMs the window lengths; @param keptMs the kept time of each
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
