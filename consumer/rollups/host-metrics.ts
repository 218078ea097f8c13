// Published host statuses in, metric families by host out: watermark, lag, calls, losses, mode changes.
import type { Sample, ScalarFamily } from '../../runtime/metric-family.ts'
import type { HostStatus } from '../../wire/types.ts'
import { RecentHosts } from './recent-hosts.ts'

interface Host {
  last: HostStatus
  /** Sums since this process first heard from the host. */
  emitted: number
  counted: number
  late: number
  outside: number
  others: number
  readonly drops: Map<string, Sample & { value: number }>
  readonly steps: Map<string, Sample & { value: number }>
  /** By class, true while its calls are counted; only classes whose mode changed in this run. */
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
  readonly #hosts = new RecentHosts<Host>()

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs
  }

  /** @param status each published status, once */
  add(status: HostStatus): void {
    const host = this.#hosts.of(status.host, () => ({
      ...{ last: status, emitted: 0, counted: 0, late: 0, outside: 0, others: 0 },
      ...{ drops: new Map(), steps: new Map(), reduced: new Map() }
    }))
    if (host.last.run !== status.run) host.reduced.clear()
    host.last = status
    host.emitted += status.events
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
        "Watermark of the host's events, seconds since the epoch.",
        ({ last }) => last.watermark / 1e6
      ),
      one('gauge', 'lag_seconds', 'Age of the watermark; 0 after the edge ended its run in order.', ({ last }) =>
        last.final ? 0 : Math.max(0, this.#nowMs() / 1000 - last.watermark / 1e6)
      ),
      one('gauge', 'ended', '1 after the edge ended its run in order.', ({ last }) => (last.final ? 1 : 0)),
      many(
        'counter',
        'calls_total',
        'Calls by outcome: emitted as events, or counted in the kernel.',
        ['outcome'],
        ({ emitted, counted }, host) => [
          { labels: { host, outcome: 'emitted' }, value: emitted },
          { labels: { host, outcome: 'counted' }, value: counted }
        ]
      ),
      many('counter', 'dropped_events_total', 'Dropped events by class and reason.', ['class', 'reason'], ({ drops }) =>
        drops.values()
      ),
      one('counter', 'late_calls_total', 'Calls later than the allowed lateness, in no window.', ({ late }) => late),
      one(
        'counter',
        'outside_calls_total',
        'Calls outside the accepted time range, in no window.',
        ({ outside }) => outside
      ),
      one(
        'counter',
        'other_calls_total',
        'Calls of keys beyond rollups.maxKeys, summed in rows named other.',
        ({ others }) => others
      ),
      one('gauge', 'keys', 'Keys of the last window: pairs of process and call.', ({ last }) => last.rows),
      one(
        'gauge',
        'process_events_limit',
        'Events that a process may emit per second; 0: no bound; -1: not known.',
        ({ last }) => last.process_events
      ),
      many(
        'counter',
        'budget_steps_total',
        'Mode changes for the CPU budget, by class and new mode.',
        ['class', 'mode'],
        ({ steps }) => steps.values()
      ),
      many(
        'gauge',
        'reduced',
        '1 while the edge counts the calls of a class to keep to its CPU budget.',
        ['class'],
        ({ reduced }, host) =>
          Array.from(reduced, ([name, is]) => ({ labels: { host, class: name }, value: is ? 1 : 0 }))
      )
    ]
  }
}
