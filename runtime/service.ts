// The interface of a long-running service, edge or consumer, to its host process (cli/run/host.ts).
import type { MetricFamily } from './metric-family.ts'

export interface Service {
  /** Counts since the start, by name: seen, published, dropped … of the edge; events, rollups, deadletters … of consumers. */
  counters(): Readonly<Record<string, number>>
  /** Address of its page, if it has one. */
  readonly url?: string
  /** Families for /metrics. */
  readonly metrics?: readonly MetricFamily[]
  /** Why the service does not do its work at this moment, each with what to do; none: it is ready. */
  problems(): readonly string[]
  /** Resolves when the work is complete (the end of a recording); rejects when the service cannot continue. */
  readonly done: Promise<void>
  /** Processes all input that exists now, then stops. */
  drain(): Promise<void>
  /** Stops soon and in order; the next start continues the unfinished work. */
  stop(): Promise<void>
}

/** Sent over the IPC channel by a hosted service to the `ringside up` that started it. */
export type ServiceMessage =
  | { readonly type: 'ready'; readonly service: string; readonly url?: string }
  | { readonly type: 'counters'; readonly service: string; readonly counters: Readonly<Record<string, number>> }
  /** The work is complete; the process exits with code 0. */
  | { readonly type: 'ended'; readonly service: string }

/** Sent by `ringside up` to a service: drain, report counters, exit. */
export interface DrainMessage {
  readonly type: 'drain'
}
