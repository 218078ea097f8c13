// Drift of latency and rate: rows of rollups in, alerts out. A restart rebuilds baselines by reading the rows again; active
// drifts are in the checkpoint.
import { z } from 'zod'
import type { Alert, Rollup } from '../../../wire/types.ts'
import type { Checkpoint, Context, Output, StatefulHandler } from '../../handler.ts'
import { earliestOffset, Hosts } from '../../state/hosts.ts'
import { Replay } from '../../state/replay.ts'
import { SavedRoom } from '../../state/saved-room.ts'
import { type DriftState, driftState } from './drift-alert.ts'
import { DriftHost } from './drift-host.ts'
import type { Thresholds } from './find-deviation.ts'

const savedDrifts = z.record(z.string(), z.array(driftState))

export class Drift implements StatefulHandler<Rollup> {
  readonly #thresholds: Thresholds
  readonly #replay = new Replay()
  readonly #hosts: Hosts<DriftHost, Rollup>
  /** Restored drifts of hosts that have not sent since the restart. */
  #saved: Record<string, DriftState[]> = {}
  #replaying = false
  readonly #counters = { driftRefused: 0 }

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds
    this.#hosts = new Hosts<DriftHost, Rollup>({
      create: ({ host }) => this.#createHost(host),
      hostOf: ({ host }) => host,
      silentMs: 300_000
    })
  }

  /** Rows without a history, because of drift.maxKeys, since the start. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(row: Rollup, context: Context): Output[] {
    this.#replaying = this.#replay.begin(context)
    if (!row.complete) return []
    let host = this.#hosts.of(row, context.timestampMs)
    const alerts: Alert[] = []
    if (host.isBefore(row)) {
      // The wall clock was stepped back: old and new windows cannot be compared.
      alerts.push(...host.end())
      this.#hosts.delete(row.host)
      host = this.#hosts.of(row, context.timestampMs)
    }
    alerts.push(...host.handle(row, context.offset, this.#replaying))
    for (const silent of this.#hosts.expireSilent()) alerts.push(...silent.end())
    if (this.#replaying) return []
    this.#counters.driftRefused += host.takeRefused()
    return alerts.map((value) => ({ to: 'alerts', value }))
  }

  checkpoint(): Checkpoint {
    const resumeOffset = earliestOffset([...this.#hosts.states()].map((host) => host.resumeOffset))
    return this.#replay.checkpoint(resumeOffset, this.#save())
  }

  get isReplaying(): boolean {
    return this.#replaying
  }

  restore(metadata: string): void {
    const saved = savedDrifts.safeParse(this.#replay.restore(metadata))
    if (saved.success) this.#saved = saved.data
  }

  #createHost(name: string): DriftHost {
    const saved = this.#saved[name] ?? []
    delete this.#saved[name]
    return new DriftHost(name, this.#thresholds, saved)
  }

  /** The drifts that fit. The next owner of the partition may raise the rest again, under another id. */
  #save(): Record<string, DriftState[]> {
    const saved: Record<string, DriftState[]> = { ...this.#saved }
    const room = new SavedRoom()
    room.reserve(saved)
    for (const host of this.#hosts.states()) {
      for (const state of host.save()) {
        const known = saved[host.name]
        if (!room.reserve(known === undefined ? { [host.name]: [state] } : state)) continue
        if (known === undefined) saved[host.name] = [state]
        else known.push(state)
      }
    }
    return saved
  }
}
