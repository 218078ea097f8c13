// The status line of a run: the rate since the previous line, totals since the start.

import { formatCount, formatRate } from '../../runtime/format-number.ts'
import { formatDuration } from '../terminal/duration.ts'

export interface Totals {
  readonly seen: number
  readonly published: number
  readonly dropped: number
  readonly rollups: number
  readonly alerts: number
  readonly audit: number
  /** Published events that the slowest consumer has not read yet. */
  readonly lag: number
}

export interface Moment {
  readonly atMs: number
  readonly totals: Totals
}

export const formatStatus = (start: Moment, before: Moment, now: Moment): string => {
  const seconds = Math.max((now.atMs - before.atMs) / 1000, 0.001)
  const rate = formatRate((now.totals.seen - before.totals.seen) / seconds)
  const { totals } = now
  return [
    `${formatDuration(now.atMs - start.atMs)}: ${rate} events/s`,
    `seen ${formatCount(totals.seen)}`,
    `dropped ${formatCount(totals.dropped)}`,
    `lag ${formatCount(totals.lag)}`,
    `rollups ${formatCount(totals.rollups)}`,
    `audit ${formatCount(totals.audit)}`,
    `alerts ${formatCount(totals.alerts)}`
  ].join(' · ')
}
