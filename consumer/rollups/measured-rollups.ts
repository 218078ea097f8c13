// The rollups handler with metrics of its outputs. Outputs that a replay only rebuilds are not counted.
import type { Config } from '../../runtime/config.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { Checkpoint, Context, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { RollupMetrics } from './rollup-metrics.ts'
import { Rollups } from './rollups.ts'

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
 * The rollups service with metrics, as a module for the consume loop.
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
