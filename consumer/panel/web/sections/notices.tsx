// What a person must know to trust the charts: trouble of the service, a time without it, nothing to show and why.
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatAge, formatTime, formatWindow } from '../format.ts'
import { useController } from '../state/use-controller.ts'
import { isFiltered } from '../state/view.ts'

const Away = () => {
  const controller = useController()
  const { away, series, windowMs } = controller.model
  if (away === undefined) return null
  const { fromMs, backMs } = away
  const { points } = series.slots(fromMs, backMs - windowMs, windowMs)
  const fetched = points.filter((point) => point !== undefined)
  const lost = fetched.reduce((sum, point) => sum + point.lost, 0)
  return (
    <output class="notice" data-testid="away">
      <span>
        The service was away for {formatAge(backMs - fromMs)} ({formatTime(fromMs)} – {formatTime(backMs)}). Of what was
        missed, {formatCount(fetched.length)} of {formatCount(points.length)} windows of {formatWindow(windowMs)} are
        here now: {formatCount(fetched.reduce((sum, point) => sum + point.count, 0))} calls,{' '}
        {lost === 0 ? 'no events lost' : `${formatCount(lost)} events lost`}.
      </span>
      <button type="button" class="plain" onClick={() => controller.dismissAway()}>
        Put away
      </button>
    </output>
  )
}

const Disconnected = () => {
  const controller = useController()
  if (controller.connection.is !== 'waiting' || controller.model.hello === undefined) return null
  return (
    <div class="notice is-bad" role="alert" data-testid="disconnected">
      <span>
        The connection to the service is gone
        {controller.connection.reason !== '' && ` (${controller.connection.reason})`}: what is shown ends where it was
        lost. It is tried again by itself; if that does not help, look whether <code>ringside run panel</code> still
        runs.
      </span>
      <button type="button" class="plain" onClick={() => controller.reconnect()}>
        {/* Not for who listens: it changes every second. */}
        Try now <span aria-hidden="true">(by itself in {formatAge(controller.connection.untilMs - Date.now())})</span>
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
        <span>
          Nothing in the last {view.range.name} of {chosen.join(', ')}.
        </span>
        <button type="button" class="plain" onClick={() => controller.choose({ filter: {} })}>
          Look at everything
        </button>
      </div>
    )
  }
  return (
    <div class="notice" data-testid="empty">
      {model.names.hosts.length === 0 ? (
        <span>
          No rollups yet. On each host, as root: <code>ringside run edge --brokers HOST:PORT</code>; once, anywhere:{' '}
          <code>ringside run rollups --brokers HOST:PORT</code>. All of it on this machine: <code>ringside up</code>.
        </span>
      ) : (
        <span>
          No rollups in this time. Those of {formatCount(model.names.hosts.length)} hosts are older: choose a longer
          time, or look whether <code>ringside run edge</code> and <code>ringside run rollups</code> still run.
        </span>
      )}
    </div>
  )
}

export const Notices = () => {
  const { model } = useController()
  return (
    <>
      {model.trouble !== null && (
        <div class="notice is-bad" role="alert" data-testid="trouble">
          {model.trouble}
        </div>
      )}
      <Disconnected />
      <Away />
      <Empty />
    </>
  )
}

/** Before the service has said anything. */
export const Waiting = () => {
  const { connection } = useController()
  return (
    <main class="gate" data-testid="waiting">
      {connection.is === 'waiting' ? (
        <p>
          The service does not answer. Start it with <code>ringside run panel</code>; this page goes on by itself as
          soon as it does.
        </p>
      ) : (
        <p>Loading …</p>
      )}
    </main>
  )
}
