// The drifts of one host: its rows go in, in the order of its windows; what is not as it was comes out as alerts.
import { Sketch } from '../../../wire/sketch.ts'
import type { Alert, Rollup } from '../../../wire/types.ts'
import { Anchors } from '../../state/anchors.ts'
import { DriftAlert, type DriftState } from './drift-alert.ts'
import { type DriftKind, driftKinds, type Finding, findDrift, type Thresholds } from './find-drift.ts'
import { History, type Spans, spanOf } from './history.ts'

const dayUs = 86_400_000_000

type Identity = Pick<DriftState, 'workload' | 'call' | 'comm' | 'exe'>

interface Key {
  readonly identity: Identity
  readonly history: History
}

const keyOf = (workload: string, call: string): string => `${workload}\n${call}`

export class DriftHost {
  readonly #host: string
  readonly #thresholds: Thresholds
  readonly #spans: Spans
  readonly #anchors: Anchors
  readonly #keys = new Map<string, Key>()
  /** By key and kind. */
  readonly #alerts = new Map<string, DriftAlert>()
  /** Rows of windows that may still get more of them, by the window's start. */
  readonly #open = new Map<number, Map<string, Rollup>>()
  /** All windows that ended before are closed. */
  #nowUs = Number.NEGATIVE_INFINITY
  #refused = 0

  /** @param saved from save() before a restart */
  constructor(host: string, thresholds: Thresholds, saved: readonly DriftState[]) {
    this.#host = host
    this.#thresholds = thresholds
    this.#spans = {
      windowUs: thresholds.windowSeconds * 1e6,
      currentUs: thresholds.currentSeconds * 1e6,
      referenceUs: thresholds.referenceSeconds * 1e6
    }
    this.#anchors = new Anchors(this.#spans.currentUs)
    for (const state of saved) {
      this.#alerts.set(`${keyOf(state.workload, state.call)}\n${state.kind}`, new DriftAlert({ ...state }, thresholds))
    }
  }

  get resumeOffset(): bigint | undefined {
    return this.#anchors.resumeOffset
  }

  /** Drifts that are on: what does not come back by reading the rows from the resume offset on again. */
  save(): DriftState[] {
    return Array.from(this.#alerts.values(), ({ state }) => state)
  }

  /** Whether the host's clock was stepped back by more than is remembered: what comes cannot be compared. */
  isBefore({ window_start }: Rollup): boolean {
    return window_start < this.#nowUs - spanOf(this.#spans)
  }

  /** Rows refused for want of room since the last call, each key once a window. */
  takeRefused(): number {
    const refused = this.#refused
    this.#refused = 0
    return refused
  }

  /**
   * @param row complete, of any window: the beginning of one is after the end of all that were told before
   * @param replaying only what is remembered changes
   */
  handle(row: Rollup, offset: bigint, replaying: boolean): Alert[] {
    const alerts = row.window_start > this.#nowUs ? this.#advance(row.window_start, offset, replaying) : []
    const { windowUs } = this.#spans
    const startUs = Math.floor(row.window_start / windowUs) * windowUs
    const isOpen = startUs + windowUs > this.#nowUs
    const rows = this.#open.get(startUs) ?? new Map<string, Rollup>()
    // Any row tells that the host was observed then, and that what has none made no calls.
    if (isOpen) this.#open.set(startUs, rows)
    if (row.by !== 'workload' || row.other || row.window_ms * 1000 !== windowUs) return alerts
    const key = keyOf(row.workload, row.syscall)
    if (!isOpen) this.#keys.get(key)?.history.correct(startUs, row.count, Sketch.of(row.latency))
    else if ((rows.get(key)?.revision ?? 0) <= row.revision) rows.set(key, row)
    return alerts
  }

  /** The last word on every drift that is on. */
  end(): Alert[] {
    const alerts = Array.from(this.#alerts.values(), (alert) => alert.publish(this.#host, this.#nowUs, true))
    this.#alerts.clear()
    return alerts
  }

  #advance(nowUs: number, offset: bigint, replaying: boolean): Alert[] {
    this.#nowUs = nowUs
    this.#anchors.add(nowUs, offset)
    this.#anchors.expireBefore(nowUs - spanOf(this.#spans))
    const ended = [...this.#open.keys()].filter((startUs) => startUs + this.#spans.windowUs <= nowUs)
    const alerts: Alert[] = []
    for (const startUs of ended.sort((a, b) => a - b)) {
      this.#close(startUs, this.#open.get(startUs) as Map<string, Rollup>)
      this.#open.delete(startUs)
      if (!replaying) alerts.push(...this.#judge(startUs + this.#spans.windowUs))
    }
    return alerts
  }

  #close(startUs: number, rows: ReadonlyMap<string, Rollup>): void {
    for (const [key, row] of rows) {
      if (this.#keys.has(key)) continue
      if (this.#keys.size >= this.#thresholds.maxKeys) {
        this.#refused++
        continue
      }
      const identity = { workload: row.workload, call: row.syscall, comm: row.comm, exe: row.exe }
      this.#keys.set(key, { identity, history: new History(this.#spans) })
    }
    for (const [key, { history }] of this.#keys) {
      const row = rows.get(key)
      history.add({ startUs, count: row?.count ?? 0, latency: Sketch.of(row?.latency ?? []) })
      if (history.isIdle) this.#keys.delete(key)
    }
  }

  #judge(nowUs: number): Alert[] {
    const findings = new Map<string, { key: Key; finding: Finding }>()
    for (const [name, key] of this.#keys) {
      for (const kind of driftKinds) {
        const on = this.#alerts.get(`${name}\n${kind}`)
        const finding = findDrift(kind, key.history, this.#thresholds, on?.state.firstUs)
        if (finding !== undefined) findings.set(`${name}\n${kind}`, { key, finding })
      }
    }
    const tests = findings.size * (dayUs / this.#spans.windowUs)
    for (const [name, { key, finding }] of findings) {
      if (!finding.isLarge || finding.probability * tests > this.#thresholds.falseAlertsPerDay) continue
      const alert = this.#alerts.get(name) ?? this.#raise(finding.kind, key)
      this.#alerts.set(name, alert)
      alert.hold(finding, nowUs, tests)
    }
    return this.#publish(nowUs)
  }

  #raise(kind: DriftKind, { identity, history }: Key): DriftAlert {
    const firstUs = history.current[0]?.startUs ?? this.#nowUs
    const state = { ...identity, kind, firstUs, lastUs: firstUs, count: 0, revision: 0, publishedUs: 0 }
    return new DriftAlert(state, this.#thresholds)
  }

  #publish(nowUs: number): Alert[] {
    const alerts: Alert[] = []
    for (const [name, alert] of this.#alerts) {
      const over = alert.isOverAt(nowUs)
      if (over) this.#alerts.delete(name)
      if (over || alert.isDueAt(nowUs)) alerts.push(alert.publish(this.#host, nowUs, over))
    }
    return alerts
  }
}
