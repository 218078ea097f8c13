// How far what is shown can be trusted: how old each host's data is, what it lost and what it only counts, and how far
// behind the services are.
import { formatCount } from '../../../../runtime/format-number.ts'
import type { HostState, ServiceLag } from '../../protocol.ts'
import { formatAge, formatPerSecond } from '../format.ts'
import { useController } from '../state/use-controller.ts'
import { ViewLink } from './view-link.tsx'

/** Rollups of an edge that is well are there within about a second of their call. */
const oldMs = 5_000
/** At a thousand events a message, what a service reads within about a second. */
const behindMessages = 1_000

const reasonTexts: Readonly<Record<string, string>> = {
  ring_full: 'ring full',
  backlog_full: 'backlog full',
  spool_full: 'spool full'
}

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
        <ViewLink to={{ filter: { ...view.filter, host } }} title={`only ${host}; edge ${agent}`}>
          {host}
        </ViewLink>
      </th>
      <td
        class={!ended && ageMs > oldMs ? 'number bad' : 'number'}
        title={`${lagSeconds.toFixed(2)} s from the host to the rollups`}
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

const isBad = ({ ended, watermarkMs, lost }: HostState): boolean =>
  Object.keys(lost).length > 0 || (!ended && Date.now() - watermarkMs > oldMs)

const Services = ({ services }: { readonly services: readonly ServiceLag[] }) => (
  <dl class="services" data-testid="services">
    {services.map(({ service, messages }) => (
      <div key={service}>
        <dt>{service}</dt>
        {messages === null ? (
          <dd class="dim" title={`Nothing was ever committed: start it with ringside run ${service}`}>
            never ran
          </dd>
        ) : (
          <dd class={messages > behindMessages ? 'bad' : ''} title="messages that wait to be read">
            {messages === 0 ? 'caught up' : `${formatCount(messages)} behind`}
          </dd>
        )}
      </div>
    ))}
  </dl>
)

export const HostStrip = () => {
  const { model } = useController()
  const hosts = (model.hosts ?? []).toSorted(
    (a, b) => Number(isBad(b)) - Number(isBad(a)) || a.host.localeCompare(b.host)
  )
  if (hosts.length === 0 && model.lag.length === 0) return null
  return (
    <section class="hosts" aria-label="Hosts and services" data-testid="hosts">
      {hosts.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">host</th>
                <th scope="col" class="number" title="how long ago everything had come">
                  age
                </th>
                <th scope="col" class="number">
                  events
                </th>
                <th scope="col" class="number" title="calls counted in the kernel">
                  counted
                </th>
                <th scope="col">lost</th>
                <th scope="col" title="classes that are counted instead of told">
                  reduced
                </th>
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
