// What a consumer service is: a handler that owns no process, no client and no offsets. The loop (consumer/loop/consume-loop.ts)
// pulls a batch, leaves out what came before, calls the handler, publishes what it returned, commits.
import type { Log } from '../runtime/log.ts'
import type { MetricFamily } from '../runtime/metric.ts'
import type { ColumnBatch } from '../wire/columns.ts'
import type { Alert, AuditRecord, EventBatch, HostStatus, Rollup } from '../wire/types.ts'

/** Where a batch came from, and what the handler may use. */
export interface Context {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly log: Log
}

/** A record to publish. The loop encodes, frames, keys and sends it. */
export type Output =
  | { readonly to: 'rollups'; readonly value: Rollup }
  | { readonly to: 'hosts'; readonly value: HostStatus }
  | { readonly to: 'alerts'; readonly value: Alert }
  | { readonly to: 'audit'; readonly value: AuditRecord }
  /** Any topic of the user's own: its full name, and a value that is sent as JSON unless it is bytes. Made when missing. */
  | { readonly to: 'topic'; readonly topic: string; readonly key: string; readonly value: unknown }

/**
 * The batch holds each event and summary once, whatever was sent twice, as far as the loop has seen it since it began
 * with the partition. All of them point at processes that the batch has.
 */
export type HandlerFunction = (batch: EventBatch, context: Context) => Iterable<Output> | Promise<Iterable<Output>>

/** What a stateful handler asks to be committed with its outputs. */
export interface Checkpoint {
  /** The earliest offset whose batch is still needed to rebuild the state after a restart; undefined: none is. */
  readonly holdOffset: bigint | undefined
  /** Handed to restore() after a restart; at most 4,096 bytes (the broker's offset.metadata.max.bytes). */
  readonly metadata: string
}

/**
 * One partition's share of a stateful service. It is created when the partition is assigned.
 * @template Input what a message of its topic is to it
 */
export interface StatefulHandler<Input = EventBatch> {
  handle(input: Input, context: Context): Iterable<Output> | Promise<Iterable<Output>>
  checkpoint(): Checkpoint
  /** Called once, before the first batch, with what checkpoint() last gave: batches from holdOffset on come again. */
  restore(metadata: string): void
  /** True when the last batch only rebuilt state: its outputs were published before a restart. */
  readonly isReplaying?: boolean
  /** Cumulative since it was created, by name; the loop adds them up over its partitions, beside its own. */
  counters?(): Readonly<Record<string, number>>
}

/** Handlers by what they read: at most one of the two that read the topic `events`. */
export interface Handlers {
  readonly events?: (partition: number) => StatefulHandler<EventBatch>
  /** Likewise, as columns: several times as fast for who needs few fields of each event. */
  readonly columns?: (partition: number) => StatefulHandler<ColumnBatch>
  readonly rollups?: (partition: number) => StatefulHandler<Rollup>
}

/** The default export of a handler module: a function, or a factory of one handler a partition. */
export type HandlerModule =
  | HandlerFunction
  | { readonly create: (partition: number) => StatefulHandler }
  /** Its metrics are told on /metrics beside those of the loop. */
  | { readonly handlers: Handlers; readonly metrics?: readonly MetricFamily[] }
