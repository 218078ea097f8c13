// Statuses of hosts as they are told go in, families of metrics come out: how far each host is known, and what was lost.
import type { Sample, ScalarFamily } from '../../runtime/metric.ts'
import type { HostStatus } from '../../wire/types.ts'

/** Beyond this the host heard from longest ago is forgotten. */
const maxHosts = 1000

interface Host {
  last: HostStatus
  /** Sums since this process first heard of the host. */
  told: number
  counted: number
  late: number
  outside: number
  others: number
  readonly drops: Map<string, Sample & { value: number }>
  readonly steps: Map<string, Sample & { value: number }>
  /** Classes that are counted instead of told, as far as steps say. */
  readonly reduced: Map<string, boolean>
}

const addTo = (sums: Host['drops'], labels: Record<string, string>, count: number): void => {
  const key = Object.values(labels).join('\n')
  const sum = sums.get(key)
  if (sum === undefined) sums.set(key, { labels, value: count })
  else sum.value += count
}

export class HostMetrics {
  readonly #nowMs: () => number
  readonly #hosts = new Map<string, Host>()

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs
  }

  /** @param status as it is told, once */
  add(status: HostStatus): void {
    const host = this.#hosts.get(status.host) ?? {
      ...{ last: status, told: 0, counted: 0, late: 0, outside: 0, others: 0 },
      ...{ drops: new Map(), steps: new Map(), reduced: new Map() }
    }
    this.#hosts.delete(status.host)
    this.#hosts.set(status.host, host)
    if (this.#hosts.size > maxHosts) this.#hosts.delete(this.#hosts.keys().next().value as string)
    if (host.last.run !== status.run) host.reduced.clear()
    host.last = status
    host.told += status.events
    host.counted += status.counted
    host.late += status.late
    host.outside += status.outside
    host.others += status.others
    for (const { class: name, reason, count } of status.drops) {
      addTo(host.drops, { host: status.host, class: name, reason }, count)
    }
    for (const { class: name, mode } of status.steps) {
      addTo(host.steps, { host: status.host, class: name, mode }, 1)
      host.reduced.set(name, mode === 'count')
    }
  }

  families(): readonly ScalarFamily[] {
    const one = (
      kind: ScalarFamily['kind'],
      name: string,
      help: string,
      read: (host: Host) => number
    ): ScalarFamily => ({
      name: `ringside_host_${name}`,
      kind,
      help,
      labels: ['host'],
      samples: () => Array.from(this.#hosts, ([host, state]) => ({ labels: { host }, value: read(state) }))
    })
    const many = (
      kind: ScalarFamily['kind'],
      name: string,
      help: string,
      labels: readonly string[],
      read: (host: Host, name: string) => Iterable<Sample>
    ): ScalarFamily => ({
      name: `ringside_host_${name}`,
      kind,
      help,
      labels: ['host', ...labels],
      samples: () => [...this.#hosts].flatMap(([host, state]) => [...read(state, host)])
    })
    return [
      one(
        'gauge',
        'watermark_timestamp_seconds',
        "Until when, on the host's clock, all that was told one by one has come.",
        ({ last }) => last.watermark / 1e6
      ),
      one(
        'gauge',
        'lag_seconds',
        'How far behind now the watermark is; 0 once the run of the edge has ended in order.',
        ({ last }) => (last.final ? 0 : Math.max(0, this.#nowMs() / 1000 - last.watermark / 1e6))
      ),
      one('gauge', 'ended', '1 once the run of the edge has ended in order: the host falls silent.', ({ last }) =>
        last.final ? 1 : 0
      ),
      many(
        'counter',
        'calls_total',
        'Calls by how they came: told one by one, or counted in the kernel.',
        ['how'],
        ({ told, counted }, host) => [
          { labels: { host, how: 'told' }, value: told },
          { labels: { host, how: 'counted' }, value: counted }
        ]
      ),
      many('counter', 'dropped_events_total', 'Events lost, by class and reason.', ['class', 'reason'], ({ drops }) =>
        drops.values()
      ),
      one('counter', 'late_calls_total', 'Calls that came too late for their windows.', ({ late }) => late),
      one('counter', 'outside_calls_total', 'Calls that lay outside what windows take.', ({ outside }) => outside),
      one(
        'counter',
        'other_calls_total',
        'Calls in rows that stand for keys beyond rollups.maxKeys.',
        ({ others }) => others
      ),
      one('gauge', 'rows', 'Keys that the last window has.', ({ last }) => last.rows),
      many(
        'counter',
        'budget_steps_total',
        'Changes of what a class does, by what it does since.',
        ['class', 'mode'],
        ({ steps }) => steps.values()
      ),
      many(
        'gauge',
        'reduced',
        '1 while the calls of a class are counted instead of told, as far as steps of this run say.',
        ['class'],
        ({ reduced }, host) =>
          Array.from(reduced, ([name, is]) => ({ labels: { host, class: name }, value: is ? 1 : 0 }))
      )
    ]
  }
}
