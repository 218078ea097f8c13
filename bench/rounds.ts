// Rows of a benchmark, and the runner that measures cases in turns and compares them within one run.

/** One measured case: a median, and its ratio to the case `against` of the same run. */
export interface Row {
  readonly bench: string
  readonly case: string
  readonly value: number
  readonly unit: string
  readonly against: string
  readonly ratio: number
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** What another process did, and the CPU seconds of all its threads that it took. */
export interface WorkElsewhere {
  readonly events: number
  readonly cpuSeconds: number
}

/** Does the work and returns the events it handled; `round` 0 warms up. */
type Work = (round: number) => Promise<number | WorkElsewhere>

/** Events per second of CPU time, of all threads of the process that did the work: this one unless it says otherwise. */
const eventsPerCoreSecond = async (work: Work, round: number): Promise<number> => {
  const before = process.cpuUsage()
  const done = await work(round)
  if (typeof done === 'object') return done.events / done.cpuSeconds
  const { user, system } = process.cpuUsage(before)
  return (done * 1_000_000) / (user + system)
}

/** Runs the cases in turns, `rounds` times after one to warm up, so that a slow spell hits all of them. */
export async function* compareThroughput(
  bench: string,
  cases: Readonly<Record<string, Work>>,
  reference: string,
  rounds: number
): AsyncGenerator<Row> {
  const rates = new Map(Object.keys(cases).map((name) => [name, [] as number[]]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, work] of Object.entries(cases)) {
      const rate = await eventsPerCoreSecond(work, round)
      if (round > 0) rates.get(name)?.push(rate)
    }
  }
  const base = median(rates.get(reference) ?? [])
  for (const [name, measured] of rates) {
    const value = median(measured)
    yield {
      bench,
      case: name,
      value: Math.round(value),
      unit: 'events per core-second',
      against: reference,
      ratio: Number((value / base).toFixed(2))
    }
  }
}
