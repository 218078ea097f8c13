// Alerts, the last seen first: what happened, why it is suspicious, and how many events may be missing.
import { formatCount } from '../../../../runtime/format-number.ts'
import type { Alert } from '../../../../wire/types.ts'
import type { Filter } from '../../protocol.ts'
import { formatDateTime, shortWorkload } from '../format.ts'
import { useController } from '../state/use-controller.ts'
import { emptyForm, isFiltered } from '../state/view.ts'
import { useKeptFocus } from './use-kept-focus.ts'
import { ViewLink } from './view-link.tsx'

/** The search fields have whole seconds: the range includes one more on both sides. */
const marginMs = 1000

const evidenceSearch = (alert: Alert) => ({
  audit: {
    ...emptyForm,
    from: new Date(alert.first_seen / 1000 - marginMs).toISOString(),
    to: new Date(alert.last_seen / 1000 + marginMs).toISOString(),
    host: alert.host,
    ...(alert.pid > 0 && alert.evidence.length === 1 ? { pid: String(alert.pid) } : { program: alert.comm })
  }
})

const AlertItem = ({ alert }: { readonly alert: Alert }) => (
  <li>
    <details class={`alert is-${alert.severity}`} data-alert={alert.id}>
      <summary data-row>
        <span class="severity">{alert.severity}</span> <b>{alert.title}</b>
        <span class="dim when">{formatDateTime(alert.last_seen / 1000)}</span>
        <span class="explanation">{alert.explanation}</span>
        <span class="dim">
          {alert.host} · {shortWorkload(alert.workload)} · {formatCount(alert.count)} events,{' '}
          {formatCount(alert.evidence.length)} as evidence
          {alert.lost_events > 0 && (
            <em class="bad"> · {formatCount(alert.lost_events)} events lost in this time: the count may be too low</em>
          )}
        </span>
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">condition</th>
            <th scope="col">value</th>
            <th scope="col">threshold</th>
          </tr>
        </thead>
        <tbody>
          {alert.reasons.map(({ condition, value, threshold }) => (
            <tr key={condition}>
              <th scope="row">{condition}</th>
              <td>{value}</td>
              <td>{threshold}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="dim">
        rule {alert.rule} v{alert.rule_version}
        {alert.attack !== null && ` · ATT&CK ${alert.attack}`} · {alert.comm} {alert.pid} · first{' '}
        {formatDateTime(alert.first_seen / 1000)} · revision {alert.revision} ·{' '}
        <ViewLink to={evidenceSearch(alert)}>Show its events in the audit log</ViewLink>
      </p>
    </details>
  </li>
)

const noAlerts = (
  <>
    No alerts. <code>ringside run alerts</code> raises them by the rules in <code>rules/</code>.
  </>
)

const matches = (alert: Alert, { host, workload }: Filter): boolean =>
  (host === undefined || alert.host === host) && (workload === undefined || alert.workload === workload)

export const AlertFeed = () => {
  const { model, view } = useController()
  const keptFocus = useKeptFocus()
  const all = model.alerts
  const alerts = all.filter((alert) => matches(alert, view.filter))
  return (
    <section class="alerts" data-testid="alerts">
      <header>
        <h2>Alerts</h2>
        <p class="dim">
          {alerts.length < all.length ? `${alerts.length} of ${all.length} match the filter` : alerts.length}
        </p>
      </header>
      {alerts.length === 0 && (
        <p class="empty">
          {isFiltered(view.filter) && all.length > 0 ? 'No alerts of this host and workload.' : noAlerts}
        </p>
      )}
      <ol class="scroll" data-rows {...keptFocus}>
        {alerts.map((alert) => (
          <AlertItem key={alert.id} alert={alert} />
        ))}
      </ol>
    </section>
  )
}
