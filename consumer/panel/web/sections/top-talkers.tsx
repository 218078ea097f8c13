// The busiest workloads, processes, calls or Go functions of the last seconds. A name links to the view filtered by it.
import type { TopBy, TopRow } from '../../protocol.ts'
import { formatDuration, formatPart, formatPerSecond, shortWorkload } from '../format.ts'
import { useController } from '../state/use-controller.ts'
import { type TopColumn, topColumns, topGroups, withName } from '../state/view.ts'
import { inOrder, topKey } from './top-order.ts'
import { useKeptFocus } from './use-kept-focus.ts'
import { ViewLink } from './view-link.tsx'

const groupNames: Readonly<Record<TopBy, string>> = {
  workload: 'workload',
  process: 'process',
  call: 'call',
  go_function: 'Go function'
}

interface Column {
  readonly title: string
  /** For its tooltip. */
  readonly meaning: string
  readonly format: (value: number) => string
}

const columns: Readonly<Record<TopColumn, Column>> = {
  callsPerSecond: { title: 'calls', meaning: 'Calls per second', format: formatPerSecond },
  failedPerSecond: { title: 'failed', meaning: 'Failed calls per second', format: formatPerSecond },
  p50: { title: 'p50', meaning: 'Median latency', format: formatDuration },
  p99: { title: 'p99', meaning: '99th percentile of latency', format: formatDuration },
  timeShare: { title: 'time', meaning: 'Share of the total duration of all calls', format: formatPart }
}

/** The name in a row that merges several: there is no filter for it. */
const several = '*'

/** The row's name, and the filter that a click on it sets. */
const subject = (row: TopRow, by: TopBy): { text: string; name: 'workload' | 'call'; value: string } => {
  if (by === 'call') return { text: row.call ?? '', name: 'call', value: row.call ?? '' }
  const text = {
    workload: shortWorkload(row.workload),
    process: `${row.comm ?? ''} ${row.pid ?? ''}`,
    go_function: row.goFunction ?? ''
  }[by]
  return { text, name: 'workload', value: row.workload }
}

const Row = ({ row, by }: { readonly row: TopRow; readonly by: TopBy }) => {
  const { view, model } = useController()
  const hasSeveralHosts = model.names.hosts.length > 1
  const { text, name, value } = subject(row, by)
  return (
    <tr>
      <th scope="row">
        {value === several ? (
          <span tabIndex={-1} data-row>
            {text}
          </span>
        ) : (
          <ViewLink to={{ filter: withName(view.filter, name, value) }} isRow title={`Show only ${name} ${value}`}>
            {text}
          </ViewLink>
        )}
        {(by === 'process' || by === 'go_function') && (
          <span class="dim"> {value === several ? 'several workloads' : shortWorkload(value)}</span>
        )}
        {hasSeveralHosts && row.host !== several && by !== 'call' && view.filter.host === undefined && (
          <ViewLink
            to={{ filter: withName(view.filter, 'host', row.host) }}
            class="dim"
            title={`Show only host ${row.host}`}
          >
            {row.host}
          </ViewLink>
        )}
      </th>
      {topColumns.map((column) => (
        <td key={column} class="number" data-column={columns[column].title}>
          {columns[column].format(row[column])}
        </td>
      ))}
    </tr>
  )
}

const HeadCell = ({ column }: { readonly column: TopColumn }) => {
  const { view } = useController()
  const { title, meaning } = columns[column]
  return (
    <th scope="col" class="number" aria-sort={view.sort === column ? 'descending' : 'none'}>
      <ViewLink to={{ sort: column }} title={`${meaning}; click to sort by it`}>
        {title}
      </ViewLink>
    </th>
  )
}

const Empty = ({ by }: { readonly by: TopBy }) => (
  <p class="empty">
    {by === 'go_function' ? (
      <>
        No calls of Go functions in the last seconds. The edge resolves them with{' '}
        <code>ringside run edge --go-functions</code>.
      </>
    ) : (
      'No calls in the last seconds.'
    )}
  </p>
)

export const TopTalkers = () => {
  const { model, view } = useController()
  const keptFocus = useKeptFocus()
  const top = model.top?.by === view.by ? model.top : undefined
  return (
    <section class="top" data-testid="top">
      <header>
        <h2>Top talkers</h2>
        <nav class="segments" aria-label="Group top talkers by">
          {topGroups.map((by) => (
            <ViewLink key={by} to={{ by }} isCurrent={view.by === by}>
              {groupNames[by]}
            </ViewLink>
          ))}
        </nav>
        {top !== undefined && top.rows.length > 0 && <p class="dim">last {top.spanMs / 1000} s</p>}
      </header>
      {top === undefined && <p class="empty">Loading …</p>}
      {top?.rows.length === 0 && <Empty by={view.by} />}
      {top !== undefined && top.rows.length > 0 && (
        <div class="scroll" data-rows {...keptFocus}>
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">{groupNames[view.by]}</th>
                {topColumns.map((column) => (
                  <HeadCell key={column} column={column} />
                ))}
              </tr>
            </thead>
            <tbody>
              {inOrder(top.rows, view.sort).map((row) => (
                <Row key={topKey(row)} row={row} by={view.by} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
