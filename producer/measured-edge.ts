// A running edge with its use of the CPU measured, kept to its budget if it has one, and told with the rest as metrics.
import type { Log } from '../runtime/log.ts'
import type { Service } from '../runtime/service.ts'
import { edgeMetrics } from './account/metrics.ts'
import { BudgetKeeper } from './budget/budget-keeper.ts'
import type { EdgeService } from './edge.ts'
import { type CallModes, emittingClasses } from './source/syscall-table.ts'

export interface MeasuredEdgeOptions {
  readonly edge: EdgeService
  /** What the spool may take on disk; undefined: there is none. */
  readonly spoolLimitBytes: number | undefined
  /** Percent of one core; undefined: only measured. */
  readonly cpuBudget: number | undefined
  /** As configured: what there is to reduce. */
  readonly calls: CallModes
  /** Nanoseconds that the programs have run; undefined where the kernel does not tell. */
  readonly programTimeNs: () => number | undefined
  readonly log: Log
}

export const measureEdge = (options: MeasuredEdgeOptions): Service => {
  const { edge, spoolLimitBytes, cpuBudget, calls, programTimeNs, log } = options
  const keeper = new BudgetKeeper({
    budgetPercent: cpuBudget,
    classes: emittingClasses(calls),
    programTimeNs,
    setReduced: (classes, reason) => edge.setReduced(classes, reason),
    log
  })
  // Its last seconds are no time to measure by.
  const ending = (end: () => Promise<void>): Promise<void> => {
    keeper.stop()
    return end()
  }
  const stopKeeper = (): void => keeper.stop()
  edge.done.then(stopKeeper, stopKeeper)
  return {
    counters: () => edge.counters(),
    metrics: edgeMetrics({ edge, spoolLimitBytes, cpu: () => keeper.use }),
    done: edge.done,
    drain: () => ending(() => edge.drain()),
    stop: () => ending(() => edge.stop())
  }
}
