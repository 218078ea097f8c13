// Everything that the panel shows, as far back as it keeps it. Records of the topics go in, in any order and more than
// once; what changed since a number comes out, so that whoever reads slowly gets the newest of each and no more. Pure.
import type { Alert, HostStatus, Rollup } from '../../../wire/types.ts'
import type { HostState, Point, ServerMessage, ServiceLag, TopBy, TopRow, Watch } from '../protocol.ts'
import { HostStates, lostOf } from './host-states.ts'
import { pointOf, topOf } from './merge.ts'
import { Windows } from './windows.ts'

const minuteMs = 60_000
/** Of whatever length: as many minutes as a day has. */
const keptWindows = 1440
const longestKeptMs = keptWindows * minuteMs
/** Of processes and of Go functions, for `top`, which looks back 10 s; hosts may be behind each other. */
const recentMs = minuteMs
/** A row takes 0.3 kB with few buckets, 1 kB with a hundred: some 50 MB for each length at most. */
const defaultMaxRows = 100_000
const maxAlerts = 1000
/** Of each kind; more than anybody chooses from a list. */
const maxNames = 500

export interface StoreOptions {
  readonly windowsMs: readonly number[]
  /** Of each length of windows, and of processes and Go functions. */
  readonly maxRows?: number
  readonly now?: () => number
}

/** Parts that are sent as a whole when anything of them changed. */
export type Part = 'hosts' | 'lag' | 'trouble'

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
  readonly #parts: Record<Part, number> = { hosts: 0, lag: 0, trouble: 0 }
  #lags: readonly ServiceLag[] = []
  #trouble: string | null = null
  #change = 0

  constructor({ windowsMs, maxRows = defaultMaxRows, now = Date.now }: StoreOptions) {
    this.#now = now
    this.windowsMs = windowsMs.toSorted((a, b) => a - b)
    this.keptMs = this.windowsMs.map(keptMsOf)
    this.#byLength = this.windowsMs.map((windowMs) => new Windows({ windowMs, keptMs: keptMsOf(windowMs), maxRows }))
    const recent = { windowMs: this.#shortest.windowMs, keptMs: recentMs, maxRows }
    this.#recent = { process: new Windows(recent), go_function: new Windows(recent) }
  }

  /** Number of the last change. */
  get change(): number {
    return this.#change
  }

  /** Rows that are held, of all kinds. */
  get rows(): number {
    return [...this.#byLength, ...Object.values(this.#recent)].reduce((sum, { rows }) => sum + rows, 0)
  }

  /** Calls it after changes; @returns what ends that */
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
      windows.hear(status.host, startMs, endMs, lostOf(status), this.#change + 1, this.#now())
    }
    this.#hosts.add(status)
    this.#changed('hosts')
  }

  addAlert(alert: Alert): void {
    const before = this.#alerts.get(alert.id)
    if (before !== undefined && before.alert.revision >= alert.revision) return
    this.#alerts.delete(alert.id)
    this.#alerts.set(alert.id, { alert, changed: this.#change + 1 })
    const [oldest] = this.#alerts.keys()
    if (this.#alerts.size > maxAlerts && oldest !== undefined) this.#alerts.delete(oldest)
    this.#changed()
  }

  setLags(lags: readonly ServiceLag[]): void {
    if (JSON.stringify(lags) === JSON.stringify(this.#lags)) return
    this.#lags = lags
    this.#changed('lag')
  }

  /** @param message why what is shown is not up to date, and what to do; null: it is */
  setTrouble(message: string | null): void {
    if (message === this.#trouble) return
    this.#trouble = message
    this.#changed('trouble')
  }

  /** Points of a watch that changed after a number, in order of time. */
  points({ windowMs, filter, fromMs }: Watch, change: number): Point[] {
    const windows = this.#byLength.find((each) => each.windowMs === windowMs)
    const changed = windows?.since(fromMs, change) ?? []
    return changed.map((window) => pointOf(window, windowMs, filter)).filter((point) => point !== undefined)
  }

  top(by: TopBy, filter: Watch['filter']): { readonly spanMs: number; readonly rows: TopRow[] } {
    const windows = by === 'process' || by === 'go_function' ? this.#recent[by] : this.#shortest
    return topOf(windows, by, filter)
  }

  /** What changed after a number, less what a watch asks for; the last `max` of the alerts. */
  news(change: number, max: number): ServerMessage[] {
    const messages: ServerMessage[] = []
    if (this.#parts.trouble > change) messages.push({ type: 'trouble', message: this.#trouble })
    if (this.#parts.hosts > change) messages.push({ type: 'hosts', hosts: this.hosts() })
    if (this.#parts.lag > change) messages.push({ type: 'lag', services: this.#lags })
    const alerts = [...this.#alerts.values()].filter(({ changed }) => changed > change).slice(-max)
    if (alerts.length > 0) messages.push({ type: 'alerts', alerts: alerts.map(({ alert }) => alert) })
    return messages
  }

  hosts(): HostState[] {
    return this.#hosts.list()
  }

  /** By calls of the last minute; then what has none, by name. */
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
        .sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1))
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
