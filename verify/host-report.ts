// The result of a reconciliation for one boot of a host.
import type { EventClass } from '../wire/types.ts'
import type { Finding } from './finding.ts'

/** Sums over the last ledgers, and the topic's counts to compare them with. */
export interface ClassReport {
  readonly class: EventClass
  readonly off: number
  readonly counted: number
  readonly emitted: number
  readonly dropped: number
  /** In the topic, without duplicates. */
  readonly events: number
  /** Calls in summaries of the topic. */
  readonly summarised: number
}

/** A run without a final batch that may still publish. */
export interface UnfinishedRun {
  readonly run: string
  /** Number of its last batch. */
  readonly batch: number
  /** Time of that batch by the host's clock, ISO 8601. */
  readonly until: string
  /** Sequence numbers that are neither in the topic nor declared as dropped yet. */
  readonly pending: number
}

export interface HostReport {
  readonly host: string
  /** Null for the report of unreadable messages. */
  readonly boot: string | null
  /** Null for the report of unreadable messages: they are not judged. A batch among them leaves a hole in its run. */
  readonly agrees: boolean | null
  readonly runs: number
  readonly batches: number
  /** Sequence numbers that batches account for. */
  readonly accounted: number
  readonly events: number
  readonly summaries: number
  /** Declared drops. */
  readonly dropped: number
  /** Events and summaries that arrived a second time. */
  readonly duplicates: number
  /** Run chains whose first batch was not read: their ledgers are not compared. */
  readonly partial: number
  readonly classes: readonly ClassReport[]
  readonly unfinished: readonly UnfinishedRun[]
  readonly findings: readonly Finding[]
}
