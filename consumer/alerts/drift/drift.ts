// Drifts of latency and rate: rows of rollups go in, alerts come out. What they are held against is made again after a
// restart by reading the rows once more; drifts that are on are kept in the checkpoint.
import { z } from 'zod'
import type { Alert, Rollup } from '../../../wire/types.ts'
import type { Checkpoint, Context, Output, StatefulHandler } from '../../handler.ts'
import { earliestOffset } from '../../state/hosts.ts'
import { maxSavedBytes, Replay } from '../../state/replay.ts'
import { type DriftState, driftState } from './drift-alert.ts'
import { DriftHost } from './drift-host.ts'
import type { Thresholds } from './find-drift.ts'

/** A host without a row for so long, while others went on, is let go: it would hold the offset back for ever. */
const silentUs = 300_000_000

const savedDrifts = z.record(z.string(), z.array(driftState))

interface Entry {
  readonly host: DriftHost
  /** What has to be added to the host's wall clock to have the partition's. */
  readonly aheadUs: number
  /** On the partition's clock. */
  seenUs: number
}

export class Drift implements StatefulHandler<Rollup> {
  readonly #thresholds: Thresholds
  readonly #replay = new Replay()
  readonly #hosts = new Map<string, Entry>()
  #saved: Record<string, DriftState[]> = {}
  #nowUs = 0
  #replaying = false
  readonly #counters = { driftRefused: 0 }

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds
  }

  /** Since the start: (workload, call) without a history for want of room, once for each window. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(row: Rollup, context: Context): Output[] {
    this.#replaying = this.#replay.begin(context)
    if (!row.complete) return []
    const alerts: Alert[] = []
    let entry = this.#hosts.get(row.host) ?? this.#enter(row)
    if (entry.host.isBefore(row)) {
      alerts.push(...entry.host.end())
      entry = this.#enter(row)
    }
    const nowUs = row.window_start + entry.aheadUs
    entry.seenUs = Math.max(entry.seenUs, nowUs)
    if (nowUs > this.#nowUs) {
      this.#nowUs = nowUs
      alerts.push(...this.#expireSilent())
    }
    alerts.push(...entry.host.handle(row, context.offset, this.#replaying))
    if (this.#replaying) return []
    this.#counters.driftRefused += entry.host.takeRefused()
    return alerts.map((value) => ({ to: 'alerts', value }))
  }

  checkpoint(): Checkpoint {
    const resumeOffset = earliestOffset(Array.from(this.#hosts.values(), ({ host }) => host.resumeOffset))
    return this.#replay.checkpoint(resumeOffset, this.#save())
  }

  get isReplaying(): boolean {
    return this.#replaying
  }

  restore(metadata: string): void {
    const saved = savedDrifts.safeParse(this.#replay.restore(metadata))
    if (saved.success) this.#saved = saved.data
  }

  #enter(row: Rollup): Entry {
    const saved = this.#saved[row.host] ?? []
    delete this.#saved[row.host]
    const host = new DriftHost(row.host, this.#thresholds, saved)
    const entry = { host, aheadUs: this.#nowUs - row.window_start, seenUs: this.#nowUs }
    this.#hosts.set(row.host, entry)
    return entry
  }

  #expireSilent(): Alert[] {
    const alerts: Alert[] = []
    for (const [name, { host, seenUs }] of this.#hosts) {
      if (this.#nowUs - seenUs <= silentUs) continue
      alerts.push(...host.end())
      this.#hosts.delete(name)
    }
    return alerts
  }

  /** As many as there is room for; of the rest the next owner knows nothing, and may raise them once more. */
  #save(): Record<string, DriftState[]> {
    const saved: Record<string, DriftState[]> = { ...this.#saved }
    let room = maxSavedBytes - Buffer.byteLength(JSON.stringify(saved))
    for (const [name, { host }] of this.#hosts) {
      for (const state of host.save()) {
        const known = saved[name]
        room -= Buffer.byteLength(JSON.stringify(known === undefined ? { [name]: [state] } : state)) + 1
        if (room < 0) return saved
        if (known === undefined) saved[name] = [state]
        else known.push(state)
      }
    }
    return saved
  }
}
