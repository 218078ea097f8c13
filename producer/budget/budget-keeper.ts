// Keeps the edge to its CPU budget: measures CPU use once a second, and reduces or restores what is emitted as Budget decides.
import type { Log } from '../../runtime/log.ts'
import type { EventClass } from '../../wire/types.ts'
import { Budget, partsOf, type Reduction } from './budget.ts'
import { type CpuReading, type CpuUse, cpuUseBetween, readCpu } from './cpu-meter.ts'

export interface BudgetKeeperOptions {
  /** Percent of one core; undefined: CPU use is only measured. */
  readonly budgetPercent: number | undefined
  /** The configured bound of a process, in events per second; 0: none. */
  readonly processEvents: number
  /** Classes that emit calls. */
  readonly classes: readonly EventClass[]
  /** Run time of the BPF programs since they were loaded; undefined when the kernel does not measure it. */
  readonly programTimeNs: () => number | undefined
  readonly setReduction: (reduction: Reduction, reason: string) => void
  readonly log: Log
}

const sampleEveryMs = 1000

export class BudgetKeeper {
  readonly #options: BudgetKeeperOptions
  readonly #budget: Budget | undefined
  readonly #timer: NodeJS.Timeout
  #reading: CpuReading
  #use: CpuUse | undefined
  #hasWarned = false

  constructor(options: BudgetKeeperOptions) {
    const { budgetPercent, processEvents, classes, programTimeNs, log } = options
    this.#options = options
    this.#budget = budgetPercent === undefined ? undefined : new Budget(budgetPercent / 100, processEvents, classes)
    this.#reading = readCpu(programTimeNs)
    if (this.#budget !== undefined && this.#reading.programNanoseconds === undefined) {
      log.warn('the kernel does not measure the run time of BPF programs: the CPU budget covers the process alone')
    }
    this.#timer = setInterval(() => this.#sample(), sampleEveryMs).unref()
  }

  /** CPU use over the last second. */
  get use(): CpuUse | undefined {
    return this.#use
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    const { programTimeNs, setReduction, log } = this.#options
    const reading = readCpu(programTimeNs)
    const use = cpuUseBetween(this.#reading, reading)
    const tookMs = reading.atMs - this.#reading.atMs
    this.#reading = reading
    this.#use = use
    const budget = this.#budget
    if (budget === undefined) return
    const parts = partsOf(use.process, use.programs)
    const decision = budget.sample(use.process + (use.programs ?? 0), reading.atMs, tookMs, parts)
    if (decision !== undefined) setReduction(decision.reduction, decision.reason)
    if (budget.isExhausted && !this.#hasWarned) {
      log.warn(
        { ...use },
        'over the CPU budget with everything reduced: observe fewer processes (edge.pids, edge.comms) or raise edge.cpuBudget'
      )
    }
    this.#hasWarned = budget.isExhausted
  }
}
