// Who calls the most just now: by workload, process, call or Go function. A name is a link to the view of it alone.
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

const columnNames: Readonly<Record<TopColumn, string>> = {
  callsPerSecond: 'calls',
  errorsPerSecond: 'errors',
  p50: 'p50',
  p99: 'p99',
  timeShare: 'time'
}

const shown: Readonly<Record<TopColumn, (value: number) => string>> = {
  callsPerSecond: formatPerSecond,
  errorsPerSecond: formatPerSecond,
  p50: formatDuration,
  p99: formatDuration,
  timeShare: formatPart
}

/** In place of a name where the row is of more than one: nothing to look at alone. */
const several = '*'

/** What the row is of, and the filter that a click on it sets. */
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
  const isOfSeveral = model.names.hosts.length > 1
  const { text, name, value } = subject(row, by)
  return (
    <tr>
      <th scope="row">
        {value === several ? (
          <span tabIndex={-1} data-row>
            {text}
          </span>
        ) : (
          <ViewLink to={{ filter: withName(view.filter, name, value) }} isRow title={`only ${name} ${value}`}>
            {text}
          </ViewLink>
        )}
        {(by === 'process' || by === 'go_function') && (
          <span class="dim"> {value === several ? 'several programs' : shortWorkload(value)}</span>
        )}
        {isOfSeveral && row.host !== several && by !== 'call' && view.filter.host === undefined && (
          <ViewLink
            to={{ filter: withName(view.filter, 'host', row.host) }}
            class="dim"
            title={`only host ${row.host}`}
          >
            {row.host}
          </ViewLink>
        )}
      </th>
      {topColumns.map((column) => (
        <td key={column} class="number" data-column={columnNames[column]}>
          {shown[column](row[column])}
        </td>
      ))}
    </tr>
  )
}

const HeadCell = ({ column }: { readonly column: TopColumn }) => {
  const { view } = useController()
  return (
    <th scope="col" class="number" aria-sort={view.sort === column ? 'descending' : 'none'}>
      <ViewLink to={{ sort: column }} title={`by ${columnNames[column]}, the most first`}>
        {columnNames[column]}
      </ViewLink>
    </th>
  )
}

const nothing: Readonly<Record<TopBy, string>> = {
  workload: 'Nothing was called in the last seconds.',
  process: 'Nothing was called in the last seconds.',
  call: 'Nothing was called in the last seconds.',
  go_function:
    'No Go function was seen behind a call in the last seconds. Edges tell them when they are asked to: ringside run edge --go-functions.'
}

export const TopTalkers = () => {
  const { model, view } = useController()
  const keptFocus = useKeptFocus()
  const top = model.top?.by === view.by ? model.top : undefined
  return (
    <section class="top" data-testid="top">
      <header>
        <h2>Top talkers</h2>
        <nav class="segments" aria-label="Top talkers by">
          {topGroups.map((by) => (
            <ViewLink key={by} to={{ by }} isCurrent={view.by === by}>
              {groupNames[by]}
            </ViewLink>
          ))}
        </nav>
        {top !== undefined && <p class="dim">of the last {top.spanMs / 1000} s</p>}
      </header>
      {top === undefined && <p class="empty">Loading …</p>}
      {top?.rows.length === 0 && <p class="empty">{nothing[view.by]}</p>}
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
