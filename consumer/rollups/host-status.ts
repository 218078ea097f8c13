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

const noCalls = { events: 0, counted: 0, keys: 0, beyond: 0 }

export class HostStatuses {
  readonly #windowMs: number
  readonly #nowUs: () => number
  #drops: Drop[] = []
  #steps: Step[] = []
  #classes: LedgerClass[] = []
  #leftOut: LeftOut = { late: 0, outside: 0 }

  /**
   * @param windowMs length of the shortest windows
   * @param nowUs this service's clock, microseconds since the epoch
   */
  constructor(windowMs: number, nowUs: () => number) {
    this.#windowMs = windowMs
    this.#nowUs = nowUs
  }

  /** Once for each batch, before take(). */
  add({ drops, ledger }: ColumnBatch, { late, outside }: Readonly<LeftOut>): void {
    for (const drop of drops) this.#addDrop(drop)
    if (ledger !== null) {
      this.#steps.push(...ledger.steps)
      this.#classes = ledger.classes
    }
    this.#leftOut.late += late
    this.#leftOut.outside += outside
  }

  /**
   * A status for each window that closed; what happened since the status before is in the first of them.
   * @param watermarkUs until when calls have come, on the host's clock
   */
  take(
    { host, boot, run, agent, final }: ColumnBatch,
    watermarkUs: number,
    closed: readonly ClosedWindow[]
  ): HostStatus[] {
    return closed.map(({ startUs, calls = noCalls }, i): HostStatus => {
      const status = {
        ...{ host, boot, run, agent, window_start: startUs, window_ms: this.#windowMs },
        ...{ watermark: watermarkUs, read: this.#nowUs(), final: final && i === closed.length - 1 },
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
