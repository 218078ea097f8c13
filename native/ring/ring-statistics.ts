// Counters of the programs, from the table of Ring#statistics() in ring_object.cc.
import { countersBytes, countersField, eventClasses } from '../../bpf/event.ts'

const classCount = eventClasses.length
const counterWords = countersBytes / 8
const headWords = 5

export interface RingStatistics {
  /** One for each possible CPU. */
  readonly cpus: readonly CpuCounters[]
  /** The seq before the first summary, and the seq of the last one that can be read. */
  readonly summaries: { readonly before: number; readonly last: number }
  /** CLOCK_MONOTONIC up to which summaries include all counted calls; undefined without summaries. */
  readonly countedUntilNs: number | undefined
  /** Runs of programs that the kernel skipped; 0 if it does not report them. */
  readonly skipped: number
  /** Run time of the programs on all CPUs, in nanoseconds, at most a second old; undefined unless it is measured. */
  readonly programTimeNs: number | undefined
}

/** Counters of one CPU since the programs were first loaded; arrays are indexed by enum ringside_class. */
export interface CpuCounters {
  readonly cpu: number
  /** The seq before the first one assigned. */
  readonly before: number
  /** The last seq assigned. */
  readonly last: number
  readonly emitted: readonly number[]
  /** The ring had no room. */
  readonly dropped: readonly number[]
  /** Calls that were not observed, by mode or filter. */
  readonly off: readonly number[]
  readonly counted: readonly number[]
  /** Calls without a state, for lack of memory. */
  readonly untracked: number
  /** Counted calls that are in no summary. */
  readonly uncounted: number
  /** Calls and outcomes of connects beyond the bound of their process. */
  readonly limited: number
}

/** @param words struct ringside_counters */
const toCpuCounters = (cpu: number, before: number, words: Float64Array): CpuCounters => {
  const word = (field: keyof typeof countersField): number => words[countersField[field] / 8] ?? 0
  const countsOf = (field: keyof typeof countersField): number[] => {
    const begin = countersField[field] / 8
    return Array.from(words.subarray(begin, begin + classCount))
  }
  return {
    cpu,
    before,
    last: word('seq'),
    emitted: countsOf('emitted'),
    dropped: countsOf('dropped'),
    off: countsOf('off'),
    counted: countsOf('counted'),
    untracked: word('untracked'),
    uncounted: word('uncounted'),
    limited: word('limited')
  }
}

export const toRingStatistics = (table: Float64Array): RingStatistics => {
  const [before = 0, last = 0, countedUntilNs = 0, skipped = 0, programTimeNs = -1] = table
  const counters = table.subarray(headWords)
  const cpus = Array.from({ length: counters.length / counterWords }, (_, cpu) =>
    toCpuCounters(cpu, before, counters.subarray(cpu * counterWords, (cpu + 1) * counterWords))
  )
  return {
    ...{ cpus, summaries: { before, last }, skipped },
    countedUntilNs: countedUntilNs === 0 ? undefined : countedUntilNs,
    programTimeNs: programTimeNs < 0 ? undefined : programTimeNs
  }
}
