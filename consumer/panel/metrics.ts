// What the panel tells as metrics.
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
  single('gauge', 'ringside_panel_sockets', 'Pages that are open.', () => counters().sockets),
  single('counter', 'ringside_panel_sent_messages_total', 'Messages to pages.', () => counters().sent),
  single(
    'counter',
    'ringside_panel_skipped_updates_total',
    'Updates that a page was left out of, as it had not taken those before.',
    () => counters().skipped
  ),
  single('gauge', 'ringside_panel_rows', 'Rows of windows that are held.', () => counters().rows),
  single(
    'counter',
    'ringside_panel_read_messages_total',
    'Messages of topics that were read.',
    () => counters().messages
  ),
  single(
    'counter',
    'ringside_panel_unreadable_messages_total',
    'Messages of topics that could not be decoded and were left out.',
    () => counters().unreadable
  )
]
