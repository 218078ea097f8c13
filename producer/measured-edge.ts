// Adds metrics, readiness and the CPU budget to a running edge.
import type { Log } from '../runtime/log.ts'
import type { Service } from '../runtime/service.ts'
import { EdgeHealth } from './account/edge-health.ts'
import { edgeMetrics } from './account/metrics.ts'
import { BudgetKeeper } from './budget/budget-keeper.ts'
import type { EdgeService } from './edge.ts'
import { type CallModes, emittingClasses } from './source/call-tables.ts'

export interface MeasuredEdgeOptions {
  readonly edge: EdgeService
  /** edge.spool.maxBytes; undefined without a spool. */
  readonly spoolLimitBytes: number | undefined
  /** Percent of one core; undefined: CPU use is only measured. */
  readonly cpuBudget: number | undefined
  /** The configured bound of a process, in events per second; 0: none. */
  readonly processEvents: number
  /** The configured modes: classes without emitted calls cannot be reduced. */
  readonly calls: CallModes
  /** Run time of the BPF programs since they were loaded; undefined when the kernel does not measure it. */
  readonly programTimeNs: () => number | undefined
  readonly log: Log
}

export const measureEdge = (options: MeasuredEdgeOptions): Service => {
  const { edge, spoolLimitBytes, cpuBudget, processEvents, calls, programTimeNs, log } = options
  const keeper = new BudgetKeeper({
    budgetPercent: cpuBudget,
    processEvents,
    classes: emittingClasses(calls),
    programTimeNs,
    setReduction: (reduction, reason) => edge.setReduction(reduction, reason),
    log
  })
  const health = new EdgeHealth(edge)
  // Draining uses more CPU than reading: no reason to reduce classes.
  const ending = (end: () => Promise<void>): Promise<void> => {
    keeper.stop()
    return end()
  }
  const stopWatching = (): void => {
    keeper.stop()
    health.stop()
  }
  edge.done.then(stopWatching, stopWatching)
  return {
    counters: () => edge.counters(),
    metrics: edgeMetrics({ edge, spoolLimitBytes, cpu: () => keeper.use }),
    problems: () => health.problems(),
    done: edge.done,
    drain: () => ending(() => edge.drain()),
    stop: () => ending(() => edge.stop())
  }
}
