// All that the page knows: messages of the service go in, what components show comes out. Bounded by the range that is
// shown, whatever arrives while nobody looks. No I/O, no DOM.
import type { Alert } from '../../../../wire/types.ts'
import type { HostState, ServerMessage, ServiceLag, TopRow, Watch } from '../../protocol.ts'
import { PointSeries } from './point-series.ts'
import { windowFor } from './ranges.ts'
import type { View } from './view.ts'

type Told<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>

/** Windows that may still be corrected are asked for again after a reconnect: the lateness that rollups have. */
const correctableMs = 10_000
/** As many as a person scrolls through; the topic has all. */
const maxAlerts = 200

/** A time without the service: since the newest point that was there, until it was back. */
export interface Away {
  readonly fromMs: number
  readonly backMs: number
}

export class Model {
  view: View
  hello: Told<'hello'> | undefined
  readonly series = new PointSeries()
  /** Length of the windows that were asked for last. */
  windowMs = 1000
  /** Points of what is watched have come, or there are none. */
  isFilled = false
  top: { readonly by: Watch['top']; readonly spanMs: number; readonly rows: readonly TopRow[] } | undefined
  names: Omit<Told<'names'>, 'type'> = { hosts: [], workloads: [], calls: [] }
  hosts: readonly HostState[] | undefined
  lag: readonly ServiceLag[] = []
  trouble: string | null = null
  /** The last time without the service, until it is put away. */
  away: Away | undefined
  #alerts = new Map<string, Alert>()
  #asked: Watch | undefined

  constructor(view: View) {
    this.view = view
  }

  /** By id, the newest revision of each, the last seen first. */
  get alerts(): Alert[] {
    return [...this.#alerts.values()].sort((a, b) => b.last_seen - a.last_seen)
  }

  /** The time that the charts show: whole windows, the one that is open now among them. */
  shown(nowMs: number): { fromMs: number; toMs: number } {
    const { windowMs } = this
    const end = this.view.atMs ?? Math.max(nowMs, this.series.newest?.timeMs ?? 0)
    const toMs = (Math.floor(end / windowMs) + 1) * windowMs
    return { fromMs: toMs - this.view.range.ms, toMs }
  }

  /** What to ask for now, from the beginning of what is shown. */
  watch(nowMs: number): Watch {
    const { filter, by } = this.view
    this.windowMs = this.#windowFor(nowMs)
    const asked = { type: 'watch', filter, windowMs: this.windowMs, fromMs: this.shown(nowMs).fromMs, top: by } as const
    this.series.clear()
    this.isFilled = false
    this.#asked = asked
    return asked
  }

  /** What to ask for after a reconnect: what is held is kept, what may have changed since comes again. */
  watchAgain(nowMs: number, lostMs: number): Watch {
    const newest = this.series.newestComplete
    const before = this.#asked
    if (before === undefined || newest === undefined || before.windowMs !== this.#windowFor(nowMs))
      return this.watch(nowMs)
    if (this.view.atMs === null)
      this.away = { fromMs: Math.min(lostMs, newest.timeMs + before.windowMs), backMs: nowMs }
    this.#asked = { ...before, fromMs: Math.max(before.fromMs, newest.timeMs - correctableMs) }
    return this.#asked
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
        if (message.whole) this.series.replaceFrom(this.#asked?.fromMs ?? 0, points)
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
        this.#take(message.alerts)
        return
      case 'trouble':
        this.trouble = message.message
    }
  }

  #take(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      const held = this.#alerts.get(alert.id)
      if (held === undefined || held.revision < alert.revision) this.#alerts.set(alert.id, alert)
    }
    if (this.#alerts.size > maxAlerts) {
      this.#alerts = new Map(this.alerts.slice(0, maxAlerts).map((alert) => [alert.id, alert]))
    }
  }
}
