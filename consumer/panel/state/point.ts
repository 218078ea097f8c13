// A window's rows, merged into one point of the charts. Pure.
import type { Filter, Point } from '../protocol.ts'
import { Distribution } from './distribution.ts'
import { type Cell, matches, sumOf, type Window } from './windows.ts'

/** Undefined when the window has neither a row nor a status of the selected hosts. */
export const pointOf = (window: Window, windowMs: number, filter: Filter): Point | undefined => {
  const selected: Cell[] = []
  let hasRows = false
  let isOpen = false
  for (const [series, cell] of window.cells) {
    if (filter.host !== undefined && series.host !== filter.host) continue
    hasRows = true
    if (!cell.complete) isOpen = true
    if (matches(filter, series)) selected.push(cell)
  }
  let lost = 0
  let hasStatus = false
  for (const [host, status] of window.statuses) {
    if (filter.host !== undefined && host !== filter.host) continue
    hasStatus = true
    lost += status.lost
    // No row says that a window without rows is closed: it is closed once its last status has arrived.
    if (!hasRows && status.untilMs < window.startMs + windowMs) isOpen = true
  }
  if (!hasRows && !hasStatus) return undefined
  const distribution = Distribution.of(selected)
  const [p50 = 0, p95 = 0, p99 = 0] = distribution.quantiles([0.5, 0.95, 0.99])
  return {
    timeMs: window.startMs,
    count: sumOf(selected, 'count'),
    failed: sumOf(selected, 'failed'),
    expected: sumOf(selected, 'expected'),
    p50,
    p95,
    p99,
    max: selected.reduce((max, { maxNs }) => Math.max(max, maxNs), 0),
    heat: distribution.heat(),
    lost,
    complete: !isOpen
  }
}
