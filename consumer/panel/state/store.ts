// The state that the panel shows. Records of the topics go in, in any order, duplicates included; the changes after a
// change number come out, each item in its newest form. Pure.
import type { Alert, HostStatus, Rollup } from '../../../wire/types.ts'
import type { HostState, Point, ServerMessage, ServiceState, TopBy, TopRow, Watch } from '../protocol.ts'
import { HostStates, lostEvents } from './host-states.ts'
import { pointOf } from './point.ts'
import { topOf } from './top.ts'
import { Windows } from './windows.ts'

const minuteMs = 60_000
/** Per window length: as many as a day has minutes. */
const keptWindows = 1440
const longestKeptMs = keptWindows * minuteMs
/** Kept time of rows by process and Go function: top() reads the last 10 s, and some hosts lag. */
const recentMs = minuteMs
/** A row takes 0.3 kB with few buckets, 1 kB with a hundred: about 50 MB per window length. */
const defaultMaxRows = 100_000
const maxHeldAlerts = 1000
/** Per kind of name: longer lists are of no use in a menu. */
const maxNames = 500

export interface StoreOptions {
  readonly windowsMs: readonly number[]
  /** Per window length, and for rows by process and by Go function. */
  readonly maxRows?: number
  readonly now?: () => number
}

/** Parts that are sent whole after any change. */
type Part = 'hosts' | 'lag' | 'stale'

/** 1 s: 24 minutes; 10 s: 4 hours; 60 s and longer: a day. */
const keptMsOf = (windowMs: number): number => Math.min(windowMs * keptWindows, longestKeptMs)

export class Store {
  readonly windowsMs: readonly number[]
  readonly keptMs: readonly number[]
  readonly #now: () => number
  readonly #byLength: readonly Windows[]
  readonly #recent: Readonly<Record<'process' | 'go_function', Windows>>
  readonly #hosts = new HostStates()
  readonly #alerts = new Map<string, { readonly alert: Alert; readonly changed: number }>()
  readonly #listeners = new Set<() => void>()
  readonly #parts: Record<Part, number> = { hosts: 0, lag: 0, stale: 0 }
  #services: readonly ServiceState[] = []
  #staleReason: string | null = null
  #change = 0

  constructor({ windowsMs, maxRows = defaultMaxRows, now = Date.now }: StoreOptions) {
    this.#now = now
    this.windowsMs = windowsMs.toSorted((a, b) => a - b)
    this.keptMs = this.windowsMs.map(keptMsOf)
    this.#byLength = this.windowsMs.map((windowMs) => new Windows({ windowMs, keptMs: keptMsOf(windowMs), maxRows }))
    const recent = { windowMs: this.#shortest.windowMs, keptMs: recentMs, maxRows }
    this.#recent = { process: new Windows(recent), go_function: new Windows(recent) }
  }

  /** Number of the last change: starts at 0 and only grows. */
  get change(): number {
    return this.#change
  }

  /** Rows of all kinds. */
  get rows(): number {
    return [...this.#byLength, ...Object.values(this.#recent)].reduce((sum, { rows }) => sum + rows, 0)
  }

  /** @param listener called after each change; @returns the function that removes it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  addRollup(rollup: Rollup): void {
    const windows =
      rollup.by === 'workload'
        ? this.#byLength.find(({ windowMs }) => windowMs === rollup.window_ms)
        : rollup.window_ms === this.#shortest.windowMs
          ? this.#recent[rollup.by]
          : undefined
    if (windows?.add(rollup, this.#change + 1, this.#now()) === true) this.#changed()
  }

  addHostStatus(status: HostStatus): void {
    const startMs = status.window_start / 1000
    const endMs = startMs + status.window_ms
    for (const windows of this.#byLength) {
      windows.addStatus(status.host, startMs, endMs, lostEvents(status), this.#change + 1, this.#now())
    }
    this.#hosts.add(status)
    this.#changed('hosts')
  }

  addAlert(alert: Alert): void {
    const held = this.#alerts.get(alert.id)
    if (held !== undefined && held.alert.revision >= alert.revision) return
    this.#alerts.delete(alert.id)
    this.#alerts.set(alert.id, { alert, changed: this.#change + 1 })
    const [oldest] = this.#alerts.keys()
    if (this.#alerts.size > maxHeldAlerts && oldest !== undefined) this.#alerts.delete(oldest)
    this.#changed()
  }

  setServices(services: readonly ServiceState[]): void {
    if (JSON.stringify(services) === JSON.stringify(this.#services)) return
    this.#services = services
    this.#changed('lag')
  }

  /** @param reason why the data is not current, and what to do; null: it is current */
  setStaleReason(reason: string | null): void {
    if (reason === this.#staleReason) return
    this.#staleReason = reason
    this.#changed('stale')
  }

  /** The points of a watch that changed after a change number, ordered by time. */
  points({ windowMs, filter, fromMs }: Watch, change: number): Point[] {
    const windows = this.#byLength.find((each) => each.windowMs === windowMs)
    const changed = windows?.since(fromMs, change) ?? []
    return changed.map((window) => pointOf(window, windowMs, filter)).filter((point) => point !== undefined)
  }

  top(by: TopBy, filter: Watch['filter']): { readonly spanMs: number; readonly rows: TopRow[] } {
    const windows = by === 'process' || by === 'go_function' ? this.#recent[by] : this.#shortest
    return topOf(windows, by, filter)
  }

  /** Everything outside of watches that changed after a change number, with at most `maxAlerts` alerts: the last ones. */
  changesAfter(change: number, maxAlerts: number): ServerMessage[] {
    const messages: ServerMessage[] = []
    if (this.#parts.stale > change) messages.push({ type: 'stale', reason: this.#staleReason })
    if (this.#parts.hosts > change) messages.push({ type: 'hosts', hosts: this.hosts() })
    if (this.#parts.lag > change) messages.push({ type: 'lag', services: this.#services })
    const alerts = [...this.#alerts.values()].filter(({ changed }) => changed > change).slice(-maxAlerts)
    if (alerts.length > 0) messages.push({ type: 'alerts', alerts: alerts.map(({ alert }) => alert) })
    return messages
  }

  hosts(): HostState[] {
    return this.#hosts.list()
  }

  /** Ordered by the calls of the last minute, then by name. */
  names(): Extract<ServerMessage, { type: 'names' }> {
    const [hosts, workloads, calls] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()]
    const add = (names: Map<string, number>, name: string, count: number): void => {
      names.set(name, (names.get(name) ?? 0) + count)
    }
    for (const { host } of this.hosts()) add(hosts, host, 0)
    for (const { host, workload, call } of this.#byLength.flatMap(({ series }) => [...series])) {
      add(hosts, host, 0)
      add(workloads, workload, 0)
      add(calls, call, 0)
    }
    for (const { cells } of this.#shortest.last(minuteMs)) {
      for (const [{ host, workload, call }, { count }] of cells) {
        add(hosts, host, count)
        add(workloads, workload, count)
        add(calls, call, count)
      }
    }
    const busiest = (names: Map<string, number>): string[] =>
      [...names]
        .sort(([a, callsA], [b, callsB]) => callsB - callsA || (a < b ? -1 : 1))
        .slice(0, maxNames)
        .map(([name]) => name)
    return { type: 'names', hosts: busiest(hosts), workloads: busiest(workloads), calls: busiest(calls) }
  }

  get #shortest(): Windows {
    return this.#byLength[0] as Windows
  }

  #changed(part?: Part): void {
    this.#change += 1
    if (part !== undefined) this.#parts[part] = this.#change
    for (const listener of this.#listeners) listener()
  }
}
