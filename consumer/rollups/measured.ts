// A handler of rollups whose outputs are counted as metrics on their way: what it only rebuilds is not.
import type { Config } from '../../runtime/config.ts'
import type { MetricFamily } from '../../runtime/metric.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { Checkpoint, Context, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { CallMetrics, type CallMetricsOptions } from './call-metrics.ts'
import { HostMetrics } from './host-metrics.ts'
import { Rollups } from './rollups.ts'
import { slowestCalls } from './slowest-calls.ts'

/** What all partitions of a service tell together. */
export class RollupMetrics {
  readonly #calls: CallMetrics
  readonly #hosts = new HostMetrics()
  readonly families: readonly MetricFamily[]

  constructor(options: CallMetricsOptions) {
    this.#calls = new CallMetrics(options)
    this.families = [...this.#calls.families(), ...this.#hosts.families()]
  }

  add(batch: ColumnBatch, outputs: readonly Output[]): void {
    for (const { to, value } of outputs) {
      if (to === 'rollups') this.#calls.add(value)
      else if (to === 'hosts') this.#hosts.add(value)
    }
    for (const slow of slowestCalls(batch)) this.#calls.exemplify(slow)
  }
}

export class MeasuredRollups implements StatefulHandler<ColumnBatch> {
  readonly #rollups: Rollups
  readonly #metrics: RollupMetrics

  constructor(rollups: Rollups, metrics: RollupMetrics) {
    this.#rollups = rollups
    this.#metrics = metrics
  }

  handle(batch: ColumnBatch, context: Context): Output[] {
    const outputs = this.#rollups.handle(batch, context)
    if (!this.#rollups.isReplaying) this.#metrics.add(batch, outputs)
    return outputs
  }

  checkpoint(): Checkpoint {
    return this.#rollups.checkpoint()
  }

  restore(metadata: string): void {
    this.#rollups.restore(metadata)
  }

  get isReplaying(): boolean {
    return this.#rollups.isReplaying
  }

  counters(): Readonly<Record<string, number>> {
    return this.#rollups.counters()
  }
}

/**
 * The rollups service as the consume loop hosts it, with metrics.
 * @param maxSeries of (host, workload, call)
 */
export const measuredRollupsModule = (options: Config['rollups'], maxSeries: number): HandlerModule => {
  const windowMs = Math.min(...options.windowsMs)
  const metrics = new RollupMetrics({ windowMs, latenessMs: options.latenessMs, maxSeries })
  return {
    handlers: { columns: () => new MeasuredRollups(new Rollups(options), metrics) },
    metrics: metrics.families
  }
}
