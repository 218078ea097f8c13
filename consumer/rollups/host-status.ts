// How a host's stream is doing: what its batches say of it goes in, a status for each of the shortest windows comes out.
import type { ColumnBatch } from '../../wire/columns.ts'
import type { Drop, HostStatus, LedgerClass, Step } from '../../wire/types.ts'
import type { ShortestWindow } from './shortest-window.ts'

/** Calls that no window took. */
export interface LeftOut {
  /** Came after their window was let go. */
  late: number
  /** Lie in a window that began before the host was first seen, or far beyond its clock. */
  outside: number
}

/** A window that closed: one that had calls, or the newest one without any. */
export interface ClosedWindow {
  readonly startUs: number
  readonly calls: Pick<ShortestWindow, 'events' | 'counted' | 'keys' | 'beyond'> | undefined
}

type Source = Pick<HostStatus, 'host' | 'boot' | 'run' | 'agent' | 'watermark'>

const noCalls = { events: 0, counted: 0, keys: 0, beyond: 0 }

export class HostStatuses {
  readonly #windowMs: number
  readonly #nowUs: () => number
  #drops: Drop[] = []
  #steps: Step[] = []
  #classes: LedgerClass[] = []
  #leftOut: LeftOut = { late: 0, outside: 0 }
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

  /**
   * Once for each batch, before take().
   * @param watermarkUs until when calls have come, on the host's clock
   */
  add(batch: ColumnBatch, { late, outside }: Readonly<LeftOut>, watermarkUs: number): void {
    const { host, boot, run, agent, final, drops, ledger } = batch
    this.#source = { host, boot, run, agent, watermark: watermarkUs }
    this.#isFinal = final
    for (const drop of drops) this.#addDrop(drop)
    if (ledger !== null) {
      this.#steps.push(...ledger.steps)
      this.#classes = ledger.classes
    }
    this.#leftOut.late += late
    this.#leftOut.outside += outside
  }

  /** A status for each window that closed, as of the last batch; what happened since the status before is in the first. */
  take(closed: readonly ClosedWindow[]): HostStatus[] {
    const source = this.#source
    if (source === undefined) return []
    return closed.map(({ startUs, calls = noCalls }, i): HostStatus => {
      const status = {
        ...source,
        ...{ window_start: startUs, window_ms: this.#windowMs, read: this.#nowUs() },
        ...{ final: this.#isFinal && i === closed.length - 1 },
        ...{ events: calls.events, counted: calls.counted, rows: calls.keys, others: calls.beyond },
        ...{ ...this.#leftOut, drops: this.#drops, classes: this.#classes, steps: this.#steps }
      }
      this.#leftOut = { late: 0, outside: 0 }
      this.#drops = []
      this.#steps = []
      return status
    })
  }

  #addDrop({ class: of, reason, count }: Drop): void {
    const known = this.#drops.find((drop) => drop.class === of && drop.reason === reason)
    if (known !== undefined) known.count += count
    else if (count > 0) this.#drops.push({ class: of, reason, count })
  }
}
