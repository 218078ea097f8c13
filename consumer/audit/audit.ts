// The audit service: batches of events go in, a record of each security-relevant event comes out, in the order of the
// batch. Nothing is kept.
import { auditRecordOf } from '../../wire/row.ts'
import type { EventBatch } from '../../wire/types.ts'
import type { HandlerModule, Output } from '../handler.ts'
import { isAudited } from './selection.ts'

/** The audit service as the consume loop hosts it. */
export const auditModule = (): HandlerModule => auditOf

/** The records of a batch. */
export const auditOf = (batch: EventBatch): Output[] =>
  batch.events.filter(isAudited).map((event) => ({ to: 'audit', value: auditRecordOf(batch, event) }))
