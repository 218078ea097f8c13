// Measures the share of one core that the edge uses: its process, and its BPF programs where the kernel measures them.

export interface CpuUse {
  /** Shares of one core. */
  readonly process: number
  /** undefined when the kernel does not measure it. */
  readonly programs: number | undefined
}

export interface CpuReading {
  /** Monotonic time. */
  readonly atMs: number
  readonly processMicroseconds: number
  readonly programNanoseconds: number | undefined
}

/** @param programTimeNs run time of the BPF programs since they were loaded; undefined when not measured */
export const readCpu = (programTimeNs: () => number | undefined): CpuReading => {
  const { user, system } = process.cpuUsage()
  return { atMs: performance.now(), processMicroseconds: user + system, programNanoseconds: programTimeNs() }
}

/** CPU use between two readings. */
export const cpuUseBetween = (from: CpuReading, to: CpuReading): CpuUse => {
  const tookMs = to.atMs - from.atMs
  const isMeasured = from.programNanoseconds !== undefined && to.programNanoseconds !== undefined
  return {
    process: (to.processMicroseconds - from.processMicroseconds) / 1000 / tookMs,
    programs: isMeasured
      ? ((to.programNanoseconds as number) - (from.programNanoseconds as number)) / 1_000_000 / tookMs
      : undefined
  }
}
