// Batches of one host in, a status for each of its shortest windows out: events, losses, rejected calls, mode changes.
import { bounded } from '../../wire/bounded.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { BoundStep, Drop, HostStatus, LedgerClass, LimitedProcess, Step } from '../../wire/types.ts'
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

/** Rows of processes with limited calls, as in a ledger. */
const maxLimited = 16

const noCalls = { emitted: 0, counted: 0, keys: 0, overflowCalls: 0 }

export class HostStatuses {
  readonly #windowMs: number
  readonly #nowUs: () => number
  #drops: Drop[] = []
  #steps: Step[] = []
  #boundSteps: BoundStep[] = []
  #limited: LimitedProcess[] = []
  #classes: LedgerClass[] = []
  #processEvents = -1
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
      this.#boundSteps.push(...ledger.bound_steps)
      for (const row of ledger.limited_processes.slice(0, maxLimited)) this.#addLimited(row)
      this.#limited = this.#limited.sort((a, b) => b.count - a.count).slice(0, maxLimited)
      this.#classes = ledger.classes
      this.#processEvents = ledger.process_events
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
        drops: this.#drops.map((drop) => ({ ...drop, count: bounded(drop.count) })),
        ...{ process_events: this.#processEvents, bound_steps: this.#boundSteps },
        limited_processes: this.#limited.map((row) => ({ ...row, count: bounded(row.count) }))
      }
      this.#rejected = { late: 0, outside: 0 }
      this.#drops = []
      this.#steps = []
      this.#boundSteps = []
      this.#limited = []
      return status
    })
  }

  #addLimited(row: LimitedProcess): void {
    const { pid, start_us, call } = row
    const known = this.#limited.find((each) => each.pid === pid && each.start_us === start_us && each.call === call)
    if (known !== undefined) known.count += row.count
    else this.#limited.push({ ...row })
  }

  #addDrop({ class: name, reason, count }: Drop): void {
    const known = this.#drops.find((drop) => drop.class === name && drop.reason === reason)
    if (known !== undefined) known.count += count
    else if (count > 0) this.#drops.push({ class: name, reason, count })
  }
}
