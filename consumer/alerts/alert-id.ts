// The id of an alert: the same for every revision, and after a replay.
import { createHash } from 'node:crypto'

/** @param firstUs first_seen of the alert: wall clock, microseconds */
export const alertId = (rule: string, host: string, entity: string, firstUs: number): string =>
  createHash('sha256')
    .update(JSON.stringify([rule, host, entity, firstUs]))
    .digest('hex')
    .slice(0, 32)
