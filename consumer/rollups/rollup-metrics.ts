// The metrics of the rollups service, over all partitions of this instance: its outputs and batches in, families out.
import type { MetricFamily } from '../../runtime/metric-family.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { Output } from '../handler.ts'
import { CallMetrics, type CallMetricsOptions } from './call-metrics.ts'
import { HostMetrics } from './host-metrics.ts'
import { slowestCalls } from './slowest-calls.ts'

export class RollupMetrics {
  readonly #calls: CallMetrics
  readonly #hosts = new HostMetrics()
  readonly families: readonly MetricFamily[]

  constructor(options: CallMetricsOptions) {
    this.#calls = new CallMetrics(options)
    this.families = [...this.#calls.families(), ...this.#hosts.families()]
  }

  /** @param outputs published for the batch */
  add(batch: ColumnBatch, outputs: readonly Output[]): void {
    for (const { to, value } of outputs) {
      if (to === 'rollups') this.#calls.add(value)
      else if (to === 'hosts') this.#hosts.add(value)
    }
    for (const slow of slowestCalls(batch)) this.#calls.exemplify(slow)
  }
}
