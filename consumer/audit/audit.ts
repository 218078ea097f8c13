// The audit service: a batch of events in, a record of each audited event out, in the order of the batch. Stateless.
import { auditRecordOf } from '../../wire/audit-record.ts'
import type { EventBatch } from '../../wire/types.ts'
import type { HandlerModule, Output } from '../handler.ts'
import { isAudited } from './selection.ts'

/** The audit service as a module for the consume loop. */
export const auditModule = (): HandlerModule => auditOf

/** The audit records of a batch. */
export const auditOf = (batch: EventBatch): Output[] =>
  batch.events.filter(isAudited).map((event) => ({ to: 'audit', value: auditRecordOf(batch, event) }))
