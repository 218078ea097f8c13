// The drifts of one host: rows in, in the order of its windows; alerts out.
import { Sketch } from '../../../wire/sketch.ts'
import type { Alert, Rollup } from '../../../wire/types.ts'
import { Anchors } from '../../state/anchors.ts'
import { windowStart } from '../../state/window-start.ts'
import { DriftAlert, type DriftState } from './drift-alert.ts'
import { type DriftKind, driftKinds, type Finding, findDeviation, type Thresholds } from './find-deviation.ts'
import { History, type Spans, totalUs } from './history.ts'

const dayUs = 86_400_000_000

type Identity = Pick<DriftState, 'workload' | 'call' | 'comm' | 'exe'>

interface Key {
  readonly identity: Identity
  readonly history: History
}

const keyOf = (workload: string, call: string): string => `${workload}\n${call}`
const alertKeyOf = (key: string, kind: DriftKind): string => `${key}\n${kind}`

export class DriftHost {
  readonly name: string
  readonly #thresholds: Thresholds
  readonly #spans: Spans
  readonly #anchors: Anchors
  readonly #keys = new Map<string, Key>()
  /** Active alerts, by key and kind. */
  readonly #alerts = new Map<string, DriftAlert>()
  /** Rows of the windows that have not ended, by start of the window and key. */
  readonly #open = new Map<number, Map<string, Rollup>>()
  /** All windows that end at or before it are closed. */
  #nowUs = Number.NEGATIVE_INFINITY
  #refused = 0

  /** @param saved from save() before a restart */
  constructor(name: string, thresholds: Thresholds, saved: readonly DriftState[]) {
    this.name = name
    this.#thresholds = thresholds
    this.#spans = {
      windowUs: thresholds.windowSeconds * 1e6,
      currentUs: thresholds.currentSeconds * 1e6,
      baselineUs: thresholds.baselineSeconds * 1e6
    }
    this.#anchors = new Anchors(this.#spans.currentUs)
    for (const state of saved) {
      const key = alertKeyOf(keyOf(state.workload, state.call), state.kind)
      this.#alerts.set(key, new DriftAlert({ ...state }, thresholds))
    }
  }

  get resumeOffset(): bigint | undefined {
    return this.#anchors.resumeOffset
  }

  /** The active drifts: reading rows from the resume offset rebuilds everything else. */
  save(): DriftState[] {
    return Array.from(this.#alerts.values(), ({ state }) => state)
  }

  /** True when the host's clock was stepped back beyond its history. */
  isBefore({ window_start }: Rollup): boolean {
    return window_start < this.#nowUs - totalUs(this.#spans)
  }

  /** Rows without a history, because of the bound on keys, since the last call. */
  takeRefused(): number {
    const refused = this.#refused
    this.#refused = 0
    return refused
  }

  /**
   * @param row complete, of any window length: all windows that end before its start are closed
   * @param isReplaying true to rebuild the history without tests
   */
  handle(row: Rollup, offset: bigint, isReplaying: boolean): Alert[] {
    const alerts = row.window_start > this.#nowUs ? this.#advance(row.window_start, offset, isReplaying) : []
    const { windowUs } = this.#spans
    const startUs = windowStart(row.window_start, windowUs)
    const isOpen = startUs + windowUs > this.#nowUs
    const rows = this.#open.get(startUs) ?? new Map<string, Rollup>()
    // Any row proves that the host was observed then: a key without a row made no calls.
    if (isOpen) this.#open.set(startUs, rows)
    if (row.by !== 'workload' || row.other || row.window_ms * 1000 !== windowUs) return alerts
    const key = keyOf(row.workload, row.syscall)
    if (!isOpen) this.#keys.get(key)?.history.correct(startUs, row.count, Sketch.of(row.latency))
    else if ((rows.get(key)?.revision ?? 0) <= row.revision) rows.set(key, row)
    return alerts
  }

  /** Ends all active alerts and returns their last revisions. */
  end(): Alert[] {
    const alerts = Array.from(this.#alerts.values(), (alert) => alert.publish(this.name, this.#nowUs, true))
    this.#alerts.clear()
    return alerts
  }

  #advance(nowUs: number, offset: bigint, isReplaying: boolean): Alert[] {
    this.#nowUs = nowUs
    this.#anchors.add(nowUs, offset)
    this.#anchors.expireBefore(nowUs - totalUs(this.#spans))
    const ended = [...this.#open.keys()].filter((startUs) => startUs + this.#spans.windowUs <= nowUs)
    const alerts: Alert[] = []
    for (const startUs of ended.sort((a, b) => a - b)) {
      this.#close(startUs, this.#open.get(startUs) as Map<string, Rollup>)
      this.#open.delete(startUs)
      if (!isReplaying) alerts.push(...this.#test(startUs + this.#spans.windowUs))
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
      if (history.isEmpty) this.#keys.delete(key)
    }
  }

  #test(nowUs: number): Alert[] {
    const findings = new Map<string, { key: Key; finding: Finding }>()
    for (const [name, key] of this.#keys) {
      for (const kind of driftKinds) {
        const alertKey = alertKeyOf(name, kind)
        const sinceUs = this.#alerts.get(alertKey)?.state.firstUs
        const finding = findDeviation(kind, key.history, this.#thresholds, sinceUs)
        if (finding !== undefined) findings.set(alertKey, { key, finding })
      }
    }
    const tests = findings.size * (dayUs / this.#spans.windowUs)
    for (const [alertKey, { key, finding }] of findings) {
      if (!finding.isLarge || finding.probability * tests > this.#thresholds.falseAlertsPerDay) continue
      const alert = this.#alerts.get(alertKey) ?? this.#raise(finding.kind, key)
      this.#alerts.set(alertKey, alert)
      alert.add(finding, nowUs, tests)
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
    for (const [alertKey, alert] of this.#alerts) {
      const isResolved = alert.isResolvedAt(nowUs)
      if (isResolved) this.#alerts.delete(alertKey)
      if (isResolved || alert.isDueAt(nowUs)) alerts.push(alert.publish(this.name, nowUs, isResolved))
    }
    return alerts
  }
}
