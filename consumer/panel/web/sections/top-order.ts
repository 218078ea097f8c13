// The rows of the table of top talkers in the order that was chosen. Pure.
import type { TopRow } from '../../protocol.ts'
import type { TopColumn } from '../state/view.ts'

/** The largest first; those that are equal by name, so that they do not change places. */
export const inOrder = (rows: readonly TopRow[], column: TopColumn): TopRow[] =>
  rows.toSorted((a, b) => b[column] - a[column] || topKey(a).localeCompare(topKey(b)))

/** Names a row among those of one table. */
export const topKey = ({ host, workload, pid, comm, call, goFunction }: TopRow): string =>
  JSON.stringify([workload, comm, call, goFunction, pid, host])
