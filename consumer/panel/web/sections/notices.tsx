// The notices above the charts: stale data, a lost connection, a past outage, no data; each with its reason and remedy.
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatAge, formatTime, formatWindow } from '../format.ts'
import { useController } from '../state/use-controller.ts'
import { isFiltered } from '../state/view.ts'

const Outage = () => {
  const controller = useController()
  const { outage, series, windowMs } = controller.model
  if (outage === undefined) return null
  const { fromMs, toMs } = outage
  const { points } = series.slots(fromMs, toMs - windowMs, windowMs)
  const loaded = points.filter((point) => point !== undefined)
  const lost = loaded.reduce((sum, point) => sum + point.lost, 0)
  return (
    <output class="notice" data-testid="outage">
      <span>
        Reconnected after {formatAge(toMs - fromMs)} ({formatTime(fromMs)} – {formatTime(toMs)}).{' '}
        {formatCount(loaded.length)} of {formatCount(points.length)} missed windows of {formatWindow(windowMs)} have
        been loaded: {formatCount(loaded.reduce((sum, point) => sum + point.count, 0))} calls,{' '}
        {lost === 0 ? 'no events lost' : `${formatCount(lost)} events lost`}.
      </span>
      <button type="button" class="plain" onClick={() => controller.dismissOutage()}>
        Dismiss
      </button>
    </output>
  )
}

const Disconnected = () => {
  const controller = useController()
  const { connectionState, model } = controller
  if (connectionState.is !== 'waiting' || model.hello === undefined) return null
  return (
    <div class="notice is-bad" role="alert" data-testid="disconnected">
      <span>
        Disconnected from the service{connectionState.reason !== '' && ` (${connectionState.reason})`}. The charts end
        where the connection was lost. The page reconnects by itself; if it does not, check that{' '}
        <code>ringside run panel</code> is running.
      </span>
      <button type="button" class="plain" onClick={() => controller.reconnect()}>
        {/* Hidden from screen readers: it changes every second. */}
        Reconnect now <span aria-hidden="true">(automatic in {formatAge(connectionState.untilMs - Date.now())})</span>
      </button>
    </div>
  )
}

/** Why the charts are empty, and what to do. */
const Empty = () => {
  const controller = useController()
  const { model, view } = controller
  if (!model.isFilled || model.series.size > 0) return null
  if (isFiltered(view.filter)) {
    const chosen = Object.entries(view.filter).map(([name, value]) => `${name} ${value}`)
    return (
      <div class="notice" data-testid="empty">
        <span>No data for {chosen.join(', ')} in this time range.</span>
        <button type="button" class="plain" onClick={() => controller.choose({ filter: {} })}>
          Clear filters
        </button>
      </div>
    )
  }
  return (
    <div class="notice" data-testid="empty">
      {model.names.hosts.length === 0 ? (
        <span>
          No rollups yet. Run <code>ringside run edge --brokers HOST:PORT</code> as root on each host, and{' '}
          <code>ringside run rollups --brokers HOST:PORT</code> on one machine. To run everything on this machine:{' '}
          <code>ringside up</code>.
        </span>
      ) : (
        <span>
          No rollups in this time range. Hosts with older rollups: {formatCount(model.names.hosts.length)}. Choose a
          longer range, or check that <code>ringside run edge</code> and <code>ringside run rollups</code> are running.
        </span>
      )}
    </div>
  )
}

export const Notices = () => {
  const { model } = useController()
  return (
    <>
      {model.staleReason !== null && (
        <div class="notice is-bad" role="alert" data-testid="stale">
          {model.staleReason}
        </div>
      )}
      <Disconnected />
      <Outage />
      <Empty />
    </>
  )
}

/** In place of the page until the service has responded. */
export const Waiting = () => {
  const { connectionState } = useController()
  return (
    <main class="gate" data-testid="waiting">
      {connectionState.is === 'waiting' ? (
        <p>
          The service does not respond. Start it with <code>ringside run panel</code>; this page connects to it by
          itself.
        </p>
      ) : (
        <p>Loading …</p>
      )}
    </main>
  )
}
