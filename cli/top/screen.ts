// A frame of `top`: a header with hosts and totals, the rows as a table, and the keys. Pure.
import { basename } from 'node:path'
import { formatNanoseconds, formatRate, formatShare } from '../../runtime/format-number.ts'
import { cutText, printable } from '../../runtime/printable.ts'
import { formatDuration } from '../terminal/duration.ts'
import { type Column, formatTable } from '../terminal/table.ts'
import type { HostFigures } from './recent.ts'
import { type Grouping, groupingRules, type Sorting, type TopRow, type Totals } from './rows.ts'

export interface View {
  readonly by: Grouping
  readonly sort: Sorting
  readonly spanMs: number
  readonly nowMs: number
  /** A host without a message since this time is silent. */
  readonly silentBeforeMs: number
  readonly hosts: readonly HostFigures[]
  readonly totals: Totals
  readonly rows: readonly TopRow[]
  /** The first messages are still being read. */
  readonly isReading: boolean
  readonly isFiltered: boolean
  /** Columns and lines of the terminal; Infinity where there is none. */
  readonly width: number
  readonly height: number
}

interface TopColumn extends Column {
  cell(row: TopRow): string
  readonly sort?: Sorting
  /** Hidden on a narrow terminal, the highest first. */
  readonly spare?: number
}

const number = { align: 'right', minWidth: 7 } as const
const any = (text: string | null): string => text ?? '*'

const columns = {
  host: { title: 'host', flexible: true, cell: ({ host }) => host },
  pid: { title: 'pid', ...number, cell: ({ pid }) => (pid === null || pid === 0 ? '*' : String(pid)) },
  program: {
    title: 'program',
    minWidth: 15,
    flexible: true,
    cell: ({ exe, comm }) => any(exe === null ? comm : basename(exe))
  },
  workload: { title: 'workload', minWidth: 15, flexible: true, cell: ({ workload }) => any(workload) },
  container: { title: 'container', minWidth: 12, flexible: true, cell: (row) => row.container_id ?? '(none)' },
  function: { title: 'go function', minWidth: 15, flexible: true, cell: (row) => any(row.go_function) },
  call: { title: 'call', minWidth: 9, cell: ({ syscall }) => any(syscall) },
  calls: { title: 'calls/s', ...number, sort: 'calls', cell: (row) => formatRate(row.calls_per_second) },
  failed: { title: 'failed/s', ...number, sort: 'failed', cell: (row) => formatRate(row.failed_per_second) },
  share: { title: 'failed%', ...number, spare: 3, cell: (row) => formatShare(row.failed_share, 1) },
  expected: { title: 'expected/s', ...number, spare: 2, cell: (row) => formatRate(row.expected_per_second) },
  p50: { title: 'p50', ...number, sort: 'p50', cell: (row) => formatNanoseconds(row.p50_ns) },
  p99: { title: 'p99', ...number, sort: 'p99', cell: (row) => formatNanoseconds(row.p99_ns) },
  time: { title: 'time', ...number, sort: 'time', cell: (row) => formatShare(row.time_share, 1) },
  bytes: { title: 'bytes/s', ...number, sort: 'bytes', spare: 1, cell: (row) => formatRate(row.bytes_per_second) }
} as const satisfies Record<string, TopColumn>

const measures: readonly TopColumn[] = [
  columns.calls,
  columns.failed,
  columns.share,
  columns.expected,
  columns.p50,
  columns.p99,
  columns.time,
  columns.bytes
]

const subjects: Readonly<Record<Grouping, readonly TopColumn[]>> = {
  'process-call': [columns.host, columns.pid, columns.program, columns.call],
  process: [columns.host, columns.pid, columns.program],
  call: [columns.host, columns.call],
  workload: [columns.host, columns.workload],
  container: [columns.host, columns.container],
  go_function: [columns.host, columns.workload, columns.function, columns.call],
  host: [columns.host]
}

/** Every column, without the spare ones that the width has no room for. */
const columnsFor = ({ by, sort, width }: View): TopColumn[] => {
  const all = [...subjects[by], ...measures].map((column) =>
    column.sort === sort ? { ...column, title: `${column.title}▾` } : column
  )
  const leastWidth = (shown: readonly TopColumn[]): number =>
    shown.reduce((sum, { title, minWidth = 0 }) => sum + Math.max(title.length, minWidth) + 2, -2)
  let shown = all
  for (const spare of [3, 2, 1]) {
    if (leastWidth(shown) > width) shown = shown.filter((column) => column.spare !== spare || column.sort === sort)
  }
  return shown
}

const clockTime = (ms: number): string => `${new Date(ms).toISOString().slice(11, 19)} UTC`

const hostText = (host: HostFigures, { nowMs, silentBeforeMs }: View): string => {
  if (host.lastMessageMs < silentBeforeMs)
    return `${host.host} ${host.final ? 'ended' : 'silent'}, last message ${ago(nowMs - host.lastMessageMs)}`
  return `${host.host} ${ago(nowMs - host.watermarkMs)}`
}

const ago = (ms: number): string => `${formatDuration(Math.max(0, ms))} ago`

/** As many hosts as fit, those with the oldest watermark first. */
const hostsLine = (view: View): string => {
  const texts = view.hosts.toSorted((a, b) => a.watermarkMs - b.watermarkMs).map((host) => hostText(host, view))
  const shown: string[] = []
  for (const text of texts) {
    const rest = texts.length - shown.length - 1
    const room = view.width - ', and 1000 more'.length - 'hosts   '.length
    if (shown.length > 0 && [...shown, text].join(', ').length > room)
      return `${shown.join(', ')}, and ${rest + 1} more`
    shown.push(text)
  }
  return shown.join(', ')
}

const sum = (
  hosts: readonly HostFigures[],
  field: 'emittedPerSecond' | 'countedPerSecond' | 'dropped' | 'late' | 'others' | 'calls'
) => hosts.reduce((total, host) => total + host[field], 0)

const header = (view: View): string[] => {
  const live = view.hosts.filter(({ lastMessageMs }) => lastMessageMs >= view.silentBeforeMs)
  const { calls, failed, expected } = view.totals
  const matching = view.isFiltered ? ' that match' : ''
  return [
    `ringside top   ${clockTime(view.nowMs)}   the last ${formatDuration(view.spanMs)} by ${view.by}, most ${view.sort} first`,
    `hosts   ${hostsLine(view)}`,
    `calls   ${formatRate(calls)}/s${matching}, failed ${formatRate(failed)}/s (${formatShare(failed, calls)}), expected errors ${formatRate(expected)}/s`,
    `stream  emitted ${formatRate(sum(live, 'emittedPerSecond'))}/s, counted ${formatRate(sum(live, 'countedPerSecond'))}/s, ` +
      `dropped ${formatRate(sum(live, 'dropped'))}, late ${formatRate(sum(live, 'late'))}, ` +
      `in "other" ${formatShare(sum(live, 'others'), sum(live, 'calls'))}`
  ]
}

/** The reason for an empty table, and what to do. */
const emptyText = (view: View): string => {
  if (view.isReading) return 'reading the latest rollups …'
  if (view.hosts.length === 0)
    return (
      `no rollups arrived in the last ${formatDuration(view.nowMs - view.silentBeforeMs)}: start \`ringside up\` here, ` +
      'or `ringside run edge` on a host and `ringside run rollups`; `ringside doctor` finds what prevents it'
    )
  if (view.isFiltered) return 'no rollup matches --host, --workload and --where: `ringside tail rollups` shows all'
  if (view.hosts.every(({ lastMessageMs }) => lastMessageMs < view.silentBeforeMs))
    return 'all hosts are silent: see the logs of `ringside run edge` and `ringside run rollups`'
  const { of } = groupingRules[view.by]
  if (of === 'workload') return 'no window has closed yet: the first one closes within seconds'
  return `no rollups by ${of}: add "${of}" to the setting rollups.by of the rollups service (docs/configuration.md)`
}

/** Wraps at spaces. */
const wrapped = (text: string, width: number): string[] => {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word.slice(0, width))
  }
  return lines
}

/** The lines of one frame, at most as many as the terminal has. */
export const screen = (view: View, footer: string | undefined): string[] => {
  const shown = columnsFor(view)
  const cells = view.rows.map((row) => shown.map((column) => column.cell(row)))
  const body = view.rows.length > 0 ? formatTable(shown, cells, view.width) : wrapped(emptyText(view), view.width)
  const top = view.hosts.length > 0 ? [...header(view), ''] : []
  const bottom = footer === undefined ? [] : ['', footer]
  const room = Math.max(1, view.height - top.length - bottom.length)
  const lines = [...top.map((line) => cutText(printable(line), view.width)), ...body.slice(0, room), ...bottom]
  return lines.slice(0, view.height)
}
