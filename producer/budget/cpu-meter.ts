// How much of one core the edge uses: its process, and its programs in the kernel where their run time is known.

export interface CpuUse {
  /** Shares of one core. */
  readonly process: number
  /** Undefined: the kernel does not tell. */
  readonly programs: number | undefined
}

export interface CpuReading {
  /** Of a clock that never goes back. */
  readonly atMs: number
  readonly processMicroseconds: number
  readonly programNanoseconds: number | undefined
}

/** @param programTimeNs run time of the programs since they were loaded; undefined where the kernel does not tell */
export const readCpu = (programTimeNs: () => number | undefined): CpuReading => {
  const { user, system } = process.cpuUsage()
  return { atMs: performance.now(), processMicroseconds: user + system, programNanoseconds: programTimeNs() }
}

/** What was used between two readings. */
export const cpuUseBetween = (from: CpuReading, to: CpuReading): CpuUse => {
  const tookMs = to.atMs - from.atMs
  const known = from.programNanoseconds !== undefined && to.programNanoseconds !== undefined
  return {
    process: (to.processMicroseconds - from.processMicroseconds) / 1000 / tookMs,
    programs: known
      ? ((to.programNanoseconds as number) - (from.programNanoseconds as number)) / 1_000_000 / tookMs
      : undefined
  }
}
