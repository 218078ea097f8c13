// Batches through the rollups handler, and its rows and statuses out of the outputs.
import type { Output } from '../../../../consumer/handler.ts'
import type { Rollups } from '../../../../consumer/rollups/rollups.ts'
import type { Config } from '../../../../runtime/config.ts'
import type { EventBatch, HostStatus, Rollup } from '../../../../wire/types.ts'
import { batchOf, eventOf, hosted, ofColumns } from '../../support/batches.ts'
import { epochUs, rowKeyOf } from '../../support/call-streams.ts'

export const options: Config['rollups'] = {
  windowsMs: [1000, 10_000, 60_000],
  by: ['process', 'go_function'],
  partialAfterMs: 500,
  maxKeys: 20_000,
  latenessMs: 10_000
}
/** Windows of 1 s without partial results. */
export const seconds: Config['rollups'] = { ...options, windowsMs: [1000], partialAfterMs: 0 }

export const rollupsOf = (outputs: Iterable<Output>): Rollup[] =>
  [...outputs].flatMap((output) => (output.to === 'rollups' ? output.value : []))

export const statusesOf = (outputs: Iterable<Output>): HostStatus[] =>
  [...outputs].flatMap((output) => (output.to === 'hosts' ? output.value : []))

export const revisionOf = (row: Rollup): string => `${rowKeyOf(row)} ${row.revision}`

/** The outputs of each batch. */
export const handleAll = (handler: Rollups, log: readonly EventBatch[]): Output[][] => {
  const handle = hosted(ofColumns(handler))
  return log.map((batch, offset) => handle(batch, offset))
}

/** The rows of one kind that each batch publishes. */
export const rowsByBatch = (handler: Rollups, log: readonly EventBatch[], of = 'process'): Rollup[][] =>
  handleAll(handler, log).map((outputs) => rollupsOf(outputs).filter(({ by }) => by === of))

/** A batch whose clock is `seconds` after the epoch of the tests. */
export const at = (seconds: number, batch: number, fields: Partial<EventBatch> = {}): EventBatch =>
  batchOf({
    batch,
    clock: { monotonic_us: 1e9 + seconds * 1e6, wall_us: epochUs + seconds * 1e6 },
    ...fields
  })

/** A call that returned `before` seconds before the clock of its batch. */
export const call = (before: number, fields: Parameters<typeof eventOf>[0] = {}) =>
  eventOf({ time_offset_ns: -Math.round(before * 1e9), ...fields })
