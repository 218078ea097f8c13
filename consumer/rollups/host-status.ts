// Batches of one host in, a status for each of its shortest windows out: events, losses, rejected calls, mode changes.
import { bounded } from '../../wire/bounded.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { Drop, HostStatus, LedgerClass, Step } from '../../wire/types.ts'
import type { ShortestWindow } from './shortest-window.ts'

/** Calls that no window accepts. */
export interface RejectedCalls {
  /** Later than the allowed lateness. */
  late: number
  /** Outside the accepted time range: before the host's first window, or far ahead of its clock. */
  outside: number
}

/** A closed window; `calls` is undefined for one without any. */
export interface ClosedWindow {
  readonly startUs: number
  readonly calls: Pick<ShortestWindow, 'emitted' | 'counted' | 'keys' | 'overflowCalls'> | undefined
}

type Source = Pick<HostStatus, 'host' | 'boot' | 'run' | 'agent' | 'watermark'>

const noCalls = { emitted: 0, counted: 0, keys: 0, overflowCalls: 0 }

export class HostStatuses {
  readonly #windowMs: number
  readonly #nowUs: () => number
  #drops: Drop[] = []
  #steps: Step[] = []
  #classes: LedgerClass[] = []
  #rejected: RejectedCalls = { late: 0, outside: 0 }
  #source: Source | undefined
  #isFinal = false

  /**
   * @param windowMs length of the shortest windows
   * @param nowUs this service's clock, microseconds since the epoch
   */
  constructor(windowMs: number, nowUs: () => number) {
    this.#windowMs = windowMs
    this.#nowUs = nowUs
  }

  /** Call it once for each batch, before take(). */
  add(batch: ColumnBatch, { late, outside }: Readonly<RejectedCalls>, watermarkUs: number): void {
    const { host, boot, run, agent, final, drops, ledger } = batch
    this.#source = { host, boot, run, agent, watermark: watermarkUs }
    this.#isFinal = final
    for (const drop of drops) this.#addDrop(drop)
    if (ledger !== null) {
      this.#steps.push(...ledger.steps)
      this.#classes = ledger.classes
    }
    this.#rejected.late += late
    this.#rejected.outside += outside
  }

  /** A status for each closed window. The first has the losses, rejected calls and steps since the status before. */
  take(closed: readonly ClosedWindow[]): HostStatus[] {
    const source = this.#source
    if (source === undefined) return []
    return closed.map(({ startUs, calls = noCalls }, i): HostStatus => {
      const status = {
        ...source,
        ...{ window_start: startUs, window_ms: this.#windowMs, read: this.#nowUs() },
        ...{ final: this.#isFinal && i === closed.length - 1 },
        ...{ events: calls.emitted, counted: bounded(calls.counted), rows: calls.keys },
        ...{ others: bounded(calls.overflowCalls), classes: this.#classes, steps: this.#steps },
        ...{ late: bounded(this.#rejected.late), outside: bounded(this.#rejected.outside) },
        drops: this.#drops.map((drop) => ({ ...drop, count: bounded(drop.count) }))
      }
      this.#rejected = { late: 0, outside: 0 }
      this.#drops = []
      this.#steps = []
      return status
    })
  }

  #addDrop({ class: name, reason, count }: Drop): void {
    const known = this.#drops.find((drop) => drop.class === name && drop.reason === reason)
    if (known !== undefined) known.count += count
    else if (count > 0) this.#drops.push({ class: name, reason, count })
  }
}
