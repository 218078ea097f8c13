// How current and complete the data is: age, losses and reduced classes of each host, and the lag of the services.
import { formatCount } from '../../../../runtime/format-number.ts'
import type { HostState, ServiceState } from '../../protocol.ts'
import { formatAge, formatPerSecond } from '../format.ts'
import { useController } from '../state/use-controller.ts'
import { ViewLink } from './view-link.tsx'

/** A healthy host's data is about a second old. */
const oldMs = 5_000
/** At 1,000 events per message, a service reads as many in about a second. */
const behindMessages = 1_000

const reasonTexts: Readonly<Record<string, string>> = {
  ring_full: 'ring full',
  backlog_full: 'backlog full',
  spool_full: 'spool full'
}

const columns = [
  { title: 'host', meaning: 'Host of the edge', isNumber: false },
  { title: 'age', meaning: 'Time since the watermark: all events up to it have arrived', isNumber: true },
  { title: 'emitted', meaning: 'Emitted events per second', isNumber: true },
  { title: 'counted', meaning: 'Calls per second counted in the kernel', isNumber: true },
  { title: 'lost', meaning: 'Events lost in the last day, by reason', isNumber: false },
  { title: 'reduced', meaning: 'Event classes counted instead of emitted, with the reason', isNumber: false }
] as const

const list = (
  record: Readonly<Record<string, string | number>>,
  text: (name: string, value: string | number) => string
) =>
  Object.entries(record)
    .map(([name, value]) => text(name, value))
    .join(', ')

const HostRow = ({ state }: { readonly state: HostState }) => {
  const { host, watermarkMs, ended, lost, reduced, lagSeconds, eventsPerSecond, countedPerSecond, agent } = state
  const { view } = useController()
  const ageMs = Date.now() - watermarkMs
  const lostCount = Object.values(lost).reduce((sum, count) => sum + count, 0)
  return (
    <tr data-host={host}>
      <th scope="row">
        <ViewLink to={{ filter: { ...view.filter, host } }} title={`Show only host ${host} (edge ${agent})`}>
          {host}
        </ViewLink>
      </th>
      <td
        class={!ended && ageMs > oldMs ? 'number bad' : 'number'}
        title={`Lag of the rollups behind the host: ${lagSeconds.toFixed(2)} s`}
      >
        {ended ? `ended ${formatAge(ageMs)} ago` : formatAge(ageMs)}
      </td>
      <td class="number">{formatPerSecond(eventsPerSecond)}</td>
      <td class="number">{formatPerSecond(countedPerSecond)}</td>
      <td class={lostCount > 0 ? 'bad' : 'dim'} data-lost={lostCount}>
        {lostCount === 0
          ? 'none'
          : list(lost, (reason, count) => `${formatCount(Number(count))} ${reasonTexts[reason] ?? reason}`)}
      </td>
      <td class={Object.keys(reduced).length > 0 ? 'warn' : 'dim'}>
        {Object.keys(reduced).length === 0 ? 'none' : list(reduced, (name, reason) => `${name}: ${reason}`)}
      </td>
    </tr>
  )
}

const needsAttention = ({ ended, watermarkMs, lost }: HostState): boolean =>
  Object.keys(lost).length > 0 || (!ended && Date.now() - watermarkMs > oldMs)

/** A poll every 2 s; a broker's restart and a join after it take some 15 s. */
const longStallSeconds = 60
/** One may be a restart. */
const manyJoins = 3

const ServiceProblems = ({ service, messages, stalledSeconds, members, joins }: ServiceState) => {
  const problems: [text: string, meaning: string][] = []
  if (members === 0 && messages !== null)
    problems.push(['no member', `Its consumer group is empty: start it with ringside run ${service}, or see its log`])
  if (stalledSeconds >= longStallSeconds)
    problems.push([
      `no progress for ${formatAge(1000 * stalledSeconds)}`,
      'Messages wait and none is handled: see its log'
    ])
  if (joins >= manyJoins)
    problems.push([`${joins} joins in 10 min`, 'Members crash and rejoin, or many were started: see its log'])
  return problems.map(([text, meaning]) => (
    <dd key={text} class="bad" title={meaning}>
      {text}
    </dd>
  ))
}

const Services = ({ services }: { readonly services: readonly ServiceState[] }) => (
  <dl class="services" data-testid="services">
    {services.map((state) => (
      <div key={state.service}>
        <dt>{state.service}</dt>
        {state.messages === null ? (
          <dd class="dim" title={`No committed offset: start it with ringside run ${state.service}`}>
            never ran
          </dd>
        ) : (
          <dd class={state.messages > behindMessages ? 'bad' : ''} title="Messages not yet read">
            {state.messages === 0 ? 'caught up' : `${formatCount(state.messages)} behind`}
          </dd>
        )}
        <ServiceProblems {...state} />
      </div>
    ))}
  </dl>
)

export const HostStrip = () => {
  const { model } = useController()
  const hosts = (model.hosts ?? []).toSorted(
    (a, b) => Number(needsAttention(b)) - Number(needsAttention(a)) || a.host.localeCompare(b.host)
  )
  if (hosts.length === 0 && model.lag.length === 0) return null
  return (
    <section class="hosts" aria-label="Hosts and services" data-testid="hosts">
      {hosts.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                {columns.map(({ title, meaning, isNumber }) => (
                  <th key={title} scope="col" class={isNumber ? 'number' : undefined} title={meaning}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {hosts.map((state) => (
                <HostRow key={state.host} state={state} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Services services={model.lag} />
    </section>
  )
}
