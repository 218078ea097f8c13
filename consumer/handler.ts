// The interface of a consumer service: a handler that owns no process, no client and no offsets. The consume loop
// (consumer/loop/) fetches a batch, drops duplicates, calls the handler, and commits outputs and offset in one transaction.
import type { Log } from '../runtime/log.ts'
import type { MetricFamily } from '../runtime/metric-family.ts'
import type { ColumnBatch } from '../wire/columns.ts'
import type { Alert, AuditRecord, EventBatch, HostStatus, Rollup } from '../wire/types.ts'
import { ownBytes } from './state/commit-metadata.ts'

/** Origin of a batch, and the log to use. */
export interface Context {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** When Kafka appended the message: the one clock of all hosts. */
  readonly timestampMs: number
  readonly log: Log
}

/** A record to publish. The loop encodes it, chooses its key and sends it. */
export type Output =
  | { readonly to: 'rollups'; readonly value: Rollup }
  | { readonly to: 'hosts'; readonly value: HostStatus }
  | { readonly to: 'alerts'; readonly value: Alert }
  | { readonly to: 'audit'; readonly value: AuditRecord }
  /** A topic of your own, by its full name; created when missing. The value is sent as JSON, bytes as they are. */
  | { readonly to: 'topic'; readonly topic: string; readonly key: string; readonly value: unknown }

/**
 * Must answer within consumers.handlerTimeoutMs. Otherwise the batch is a dead letter, what the call returns later is
 * dropped, and the next call may come while it still runs.
 *
 * The batch has no event or summary that this instance has handled since it was assigned the partition. Each refers to
 * a process that the batch has.
 */
export type HandlerFunction = (batch: EventBatch, context: Context) => Iterable<Output> | Promise<Iterable<Output>>

/** The broker's offset.metadata.max.bytes, without the loop's own part. */
export const maxMetadataBytes = 4096 - ownBytes

/** Committed together with a stateful handler's outputs. */
export interface Checkpoint {
  /** The earliest offset that is needed to rebuild the state after a restart; undefined when none is. */
  readonly resumeOffset: bigint | undefined
  /** Passed to restore() after a restart; at most maxMetadataBytes. */
  readonly metadata: string
}

/**
 * Handles one partition for a stateful service; created when the partition is assigned.
 * @template Input type of a decoded message
 */
export interface StatefulHandler<Input = EventBatch> {
  handle(input: Input, context: Context): Iterable<Output> | Promise<Iterable<Output>>
  checkpoint(): Checkpoint
  /** Called once, before the first batch, with the metadata of the last checkpoint. Batches from its resumeOffset on follow. */
  restore(metadata: string): void
  /** True when the last batch only rebuilt state: its outputs were published before the restart. */
  readonly isReplaying?: boolean
  /** Counts by name since the handler was created. The loop sums them over partitions and exports them. */
  counters?(): Readonly<Record<string, number>>
}

/** Handlers by topic. Both `events` and `columns` read the topic `events`: use one of them. */
export interface Handlers {
  readonly events?: (partition: number) => StatefulHandler<EventBatch>
  /** Batches as columns: several times as fast for a handler that needs few fields of each event. */
  readonly columns?: (partition: number) => StatefulHandler<ColumnBatch>
  readonly rollups?: (partition: number) => StatefulHandler<Rollup>
}

/** Default export of a handler module: a function, or a factory that creates one handler for each partition. */
export type HandlerModule =
  | HandlerFunction
  | { readonly create: (partition: number) => StatefulHandler }
  /** The metrics are exposed on /metrics, with those of the loop. */
  | { readonly handlers: Handlers; readonly metrics?: readonly MetricFamily[] }
