// The bar at the top: filters, time range, live or paused, connection, theme.
import { formatMoment, shortWorkload } from '../format.ts'
import { ranges } from '../state/ranges.ts'
import { useController } from '../state/use-controller.ts'
import { filterNames, isFiltered, withName } from '../state/view.ts'
import { type Theme, themes } from '../theme.ts'

const plural = { host: 'hosts', workload: 'workloads', call: 'calls' } as const

const FilterSelect = ({ name }: { readonly name: (typeof filterNames)[number] }) => {
  const controller = useController()
  const chosen = controller.view.filter[name] ?? ''
  const known = controller.model.names[plural[name]]
  const options = chosen === '' || known.includes(chosen) ? known : [chosen, ...known]
  return (
    <label class={chosen === '' ? 'field' : 'field is-set'}>
      <span>{name}</span>
      <select
        data-filter={name}
        value={chosen}
        title={chosen}
        onChange={({ currentTarget }) =>
          controller.choose({ filter: withName(controller.view.filter, name, currentTarget.value) })
        }
      >
        <option value="">all {plural[name]}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {name === 'workload' ? shortWorkload(option) : option}
          </option>
        ))}
      </select>
    </label>
  )
}

const Ranges = () => {
  const controller = useController()
  return (
    <fieldset class="segments">
      <legend class="hidden">Time range</legend>
      {ranges.map((range, index) => (
        <button
          key={range.name}
          type="button"
          aria-pressed={controller.view.range === range}
          title={`Show the last ${range.text} (key ${index + 1})`}
          onClick={() => controller.choose({ range })}
        >
          {range.name}
        </button>
      ))}
    </fieldset>
  )
}

const LiveButton = () => {
  const controller = useController()
  const { atMs } = controller.view
  return (
    <button
      type="button"
      class={atMs === null ? 'live is-on' : 'live'}
      aria-pressed={atMs === null}
      title={atMs === null ? 'Pause (key l)' : 'Continue live (key l)'}
      data-testid="live"
      onClick={() => controller.toggleLive()}
    >
      {atMs === null ? 'Live' : `Paused at ${formatMoment(atMs, Date.now())}`}
    </button>
  )
}

const ConnectionStatus = () => {
  const { connectionState } = useController()
  const text = {
    connecting: 'connecting …',
    open: 'connected',
    waiting: 'disconnected',
    refused: 'not logged in'
  }[connectionState.is]
  return (
    <output class={`connection is-${connectionState.is}`} data-testid="connection">
      {text}
    </output>
  )
}

interface Props {
  readonly theme: Theme
  onTheme(theme: Theme): void
  onHelp(): void
}

export const TopBar = ({ theme, onTheme, onHelp }: Props) => {
  const controller = useController()
  return (
    <header class="top-bar">
      <h1>Ringside</h1>
      <div class="filters">
        {filterNames.map((name) => (
          <FilterSelect key={name} name={name} />
        ))}
        {isFiltered(controller.view.filter) && (
          <button
            type="button"
            class="plain"
            title="Clear all filters (key x)"
            onClick={() => controller.choose({ filter: {} })}
          >
            Clear
          </button>
        )}
      </div>
      <div class="times">
        <Ranges />
        <LiveButton />
      </div>
      <div class="page-tools">
        <ConnectionStatus />
        <label class="field">
          <span class="hidden">theme</span>
          <select
            value={theme}
            title="Theme (key t)"
            data-testid="theme"
            onChange={({ currentTarget }) => onTheme(currentTarget.value as Theme)}
          >
            {themes.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="plain" title="Show the keys (key ?)" aria-label="Show the keys" onClick={onHelp}>
          ?
        </button>
      </div>
    </header>
  )
}
