// What every long-running part of Ringside looks like to whoever hosts it (cli/run/host.ts): the edge,
// each consumer service.

import type { MetricFamily } from './metric.ts'

export interface Service {
  /** Cumulative since the start, by name: edge seen/published/dropped…, consumers events/rollups/alerts/audit/deadletters… */
  counters(): Readonly<Record<string, number>>
  /** Where people find it, if it has pages. */
  readonly url?: string
  /** What /metrics tells of it; read only when somebody asks. */
  readonly metrics?: readonly MetricFamily[]
  /** Resolves when the work ends by itself (a recording came to its end); rejects when it cannot go on. */
  readonly done: Promise<void>
  /** Finishes everything that is there now, then stops. */
  drain(): Promise<void>
  /** Stops soon and in order; what is unfinished is left to the next start. */
  stop(): Promise<void>
}

/** Sent over the IPC channel by a hosted service to the `ringside up` that started it. */
export type ServiceMessage =
  | { readonly type: 'ready'; readonly service: string; readonly url?: string }
  | { readonly type: 'counters'; readonly service: string; readonly counters: Readonly<Record<string, number>> }
  /** The work came to its end by itself; an exit with code 0 follows. */
  | { readonly type: 'ended'; readonly service: string }

/** Sent by `ringside up` to a service: finish everything, report, and exit. */
export interface DrainMessage {
  readonly type: 'drain'
}
