// Rows of the topic alerts: one for each revision of an alert.
import { formatCount } from '../../runtime/format-number.ts'
import { decode } from '../../wire/codec.ts'
import { type AlertRow, alertRow } from '../../wire/row.ts'
import { clockTime, everyField, type RowTopic } from './row-topic.ts'

export const alerts: RowTopic<AlertRow> = {
  fields: everyField<AlertRow>({
    id: true,
    revision: true,
    rule: true,
    rule_version: true,
    title: true,
    attack: true,
    severity: true,
    host: true,
    entity: true,
    workload: true,
    exe: true,
    comm: true,
    pid: true,
    first_seen: true,
    last_seen: true,
    count: true,
    explanation: true,
    reasons: true,
    evidence: true,
    lost_events: true
  }),
  rowsOf: (value) => [alertRow(decode('Alert', value))],
  columns: [
    { title: 'last (UTC)', minWidth: 12, cell: (row) => clockTime(row.last_seen) },
    { title: 'severity', minWidth: 8, cell: (row) => row.severity },
    { title: 'rule', minWidth: 22, cell: (row) => row.rule },
    { title: 'count', minWidth: 6, align: 'right', cell: (row) => formatCount(row.count) },
    { title: 'host', minWidth: 10, flexible: true, cell: (row) => row.host },
    { title: 'pid', minWidth: 7, align: 'right', cell: (row) => String(row.pid) },
    { title: 'explanation', cell: (row) => row.explanation }
  ]
}
