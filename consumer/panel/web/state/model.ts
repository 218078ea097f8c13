// The state of the page: messages of the service go in, the data of the components comes out. Bounded by the time range
// shown, also in a hidden tab. No I/O, no DOM.
import type { Alert } from '../../../../wire/types.ts'
import type { HostState, ServerMessage, ServiceState, TopRow, Watch } from '../../protocol.ts'
import { PointSeries } from './point-series.ts'
import { windowFor } from './ranges.ts'
import type { View } from './view.ts'

type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>

/** Closed windows as old as this are requested again after a reconnect: late events may have corrected them. */
const correctableMs = 10_000
/** As many as a user scrolls through; the topic has all. */
const maxAlerts = 200

/** A time without a connection, from the end of the newest closed window to the reconnect. */
export interface Outage {
  readonly fromMs: number
  readonly toMs: number
}

export class Model {
  view: View
  hello: MessageOf<'hello'> | undefined
  readonly series = new PointSeries()
  /** Length of the windows of the current watch. */
  windowMs = 1000
  /** The points of the current watch have arrived, even if there are none. */
  isFilled = false
  top: { readonly by: Watch['top']; readonly spanMs: number; readonly rows: readonly TopRow[] } | undefined
  names: Omit<MessageOf<'names'>, 'type'> = { hosts: [], workloads: [], calls: [] }
  hosts: readonly HostState[] | undefined
  lag: readonly ServiceState[] = []
  /** Why the service's data is not current; null: it is current. */
  staleReason: string | null = null
  /** The last outage, until the user dismisses it. */
  outage: Outage | undefined
  #alerts = new Map<string, Alert>()
  #watch: Watch | undefined

  constructor(view: View) {
    this.view = view
  }

  /** The newest revision of each alert, the last seen first. */
  get alerts(): Alert[] {
    return [...this.#alerts.values()].sort((a, b) => b.last_seen - a.last_seen)
  }

  /** The time range of the charts: whole windows, including the one that is open now. */
  shown(nowMs: number): { fromMs: number; toMs: number } {
    const { windowMs } = this
    const end = this.view.atMs ?? Math.max(nowMs, this.series.newest?.timeMs ?? 0)
    const toMs = (Math.floor(end / windowMs) + 1) * windowMs
    return { fromMs: toMs - this.view.range.ms, toMs }
  }

  /** A new watch: all points of the time range. */
  watch(nowMs: number): Watch {
    const { filter, by } = this.view
    this.windowMs = this.#windowFor(nowMs)
    const { fromMs } = this.shown(nowMs)
    const watch = { type: 'watch', filter, windowMs: this.windowMs, fromMs, top: by } as const
    this.series.clear()
    this.isFilled = false
    this.#watch = watch
    return watch
  }

  /** The watch after a reconnect: only the points that may have changed; the others are kept. */
  watchAfterReconnect(nowMs: number, disconnectedMs: number): Watch {
    const newest = this.series.newestComplete
    const before = this.#watch
    if (before === undefined || newest === undefined || before.windowMs !== this.#windowFor(nowMs))
      return this.watch(nowMs)
    if (this.view.atMs === null)
      this.outage = { fromMs: Math.min(disconnectedMs, newest.timeMs + before.windowMs), toMs: nowMs }
    this.#watch = { ...before, fromMs: Math.max(before.fromMs, newest.timeMs - correctableMs) }
    return this.#watch
  }

  #windowFor(nowMs: number): number {
    const agoMs = this.view.atMs === null ? 0 : Math.max(0, nowMs - this.view.atMs)
    return windowFor(this.view.range.ms, agoMs, this.hello?.windowsMs ?? [], this.hello?.keptMs ?? [])
  }

  receive(message: ServerMessage, nowMs: number): void {
    switch (message.type) {
      case 'hello':
        this.hello = message
        return
      case 'points': {
        const end = this.view.atMs === null ? Number.POSITIVE_INFINITY : this.shown(nowMs).toMs
        const points = message.points.filter(({ timeMs }) => timeMs < end)
        if (message.whole) this.series.replaceFrom(this.#watch?.fromMs ?? 0, points)
        else this.series.add(points)
        this.series.expireBefore(this.shown(nowMs).fromMs)
        this.isFilled = true
        return
      }
      case 'top':
        this.top = message
        return
      case 'names':
        this.names = message
        return
      case 'hosts':
        this.hosts = message.hosts
        return
      case 'lag':
        this.lag = message.services
        return
      case 'alerts':
        this.#addAlerts(message.alerts)
        return
      case 'stale':
        this.staleReason = message.reason
    }
  }

  #addAlerts(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      const held = this.#alerts.get(alert.id)
      if (held === undefined || held.revision < alert.revision) this.#alerts.set(alert.id, alert)
    }
    if (this.#alerts.size > maxAlerts) {
      this.#alerts = new Map(this.alerts.slice(0, maxAlerts).map((alert) => [alert.id, alert]))
    }
  }
}
