// The panel's counters as metrics.
import { type MetricFamily, single } from '../../runtime/metric-family.ts'

export interface PanelCounters {
  readonly sockets: number
  readonly sent: number
  readonly skipped: number
  readonly rows: number
  readonly messages: number
  readonly unreadable: number
}

export const panelMetrics = (counters: () => PanelCounters): readonly MetricFamily[] => [
  single('gauge', 'ringside_panel_sockets', 'Connected pages.', () => counters().sockets),
  single('counter', 'ringside_panel_sent_messages_total', 'Messages sent to pages.', () => counters().sent),
  single(
    'counter',
    'ringside_panel_skipped_updates_total',
    'Updates skipped for slow pages.',
    () => counters().skipped
  ),
  single('gauge', 'ringside_panel_rows', 'Rollup rows in memory.', () => counters().rows),
  single('counter', 'ringside_panel_read_messages_total', 'Messages read from topics.', () => counters().messages),
  single(
    'counter',
    'ringside_panel_unreadable_messages_total',
    'Messages from topics that could not be decoded and were skipped.',
    () => counters().unreadable
  )
]
