// The order of the rows of top talkers. Pure.
import type { TopRow } from '../../protocol.ts'
import type { TopColumn } from '../state/view.ts'

/** Largest first; equal rows by name, so that their order is stable. */
export const inOrder = (rows: readonly TopRow[], column: TopColumn): TopRow[] =>
  rows.toSorted((a, b) => b[column] - a[column] || topKey(a).localeCompare(topKey(b)))

/** Unique within one table. */
export const topKey = ({ host, workload, pid, comm, call, goFunction }: TopRow): string =>
  JSON.stringify([workload, comm, call, goFunction, pid, host])
