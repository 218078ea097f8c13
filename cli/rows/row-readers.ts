// The readers of the topics that people read as rows.
import type { Column } from '../terminal/table.ts'
import { alerts } from './alert-rows.ts'
import { audit, events } from './event-rows.ts'
import { hosts } from './host-rows.ts'
import { rollups } from './rollup-rows.ts'
import type { RowTopic } from './row-topic.ts'

export const rowTopicNames = ['events', 'rollups', 'hosts', 'alerts', 'audit'] as const
export type RowTopicName = (typeof rowTopicNames)[number]

/** Reads a topic's messages as rows, without the type of the row. */
export interface RowReader {
  readonly fields: readonly string[]
  readonly columns: readonly Column[]
  rowsOf(value: Buffer): object[]
  cells(row: object): string[]
}

// `cells` receives only rows of the same reader's rowsOf.
const readerOf = <R extends object>(topic: RowTopic<R>): RowReader => ({
  fields: topic.fields,
  columns: topic.columns,
  rowsOf: (value) => topic.rowsOf(value),
  cells: (row) => topic.columns.map((column) => column.cell(row as R))
})

export const rowReaders: Readonly<Record<RowTopicName, RowReader>> = {
  events: readerOf(events),
  rollups: readerOf(rollups),
  hosts: readerOf(hosts),
  alerts: readerOf(alerts),
  audit: readerOf(audit)
}
