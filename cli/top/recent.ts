// Rollups and host statuses as they come → for each host what the last seconds hold: each window once, by its highest
// revision, and the time that its counts are of, so that rates are right while the newest window is still open. Pure.
import type { HostStatus, Rollup, RollupKey } from '../../wire/types.ts'

/** A host whose clock was stepped back further than rows are ever corrected begins anew. */
const stepBackUs = 120_000_000

export interface RecentOptions {
  /** How far back the table looks. */
  readonly spanMs: number
  /** After so much of a window what there is of it is told, see rollups.partialAfterMs. */
  readonly partialAfterMs: number
}

/** A row of one window, and how many seconds of its host and call are counted with it. */
export interface Part {
  readonly rollup: Rollup
  readonly seconds: number
}

/** What the statuses of a host say of the span. */
export interface HostSight {
  readonly host: string
  /** Milliseconds since the epoch, on the host's clock: until when all of it had come. */
  readonly watermarkMs: number
  /** When something of it came last, by Kafka's clock. */
  readonly heardMs: number
  /** The edge's run ended in order. */
  readonly final: boolean
  readonly emittedPerSecond: number
  readonly countedPerSecond: number
  /** Events lost, calls too late for their windows, calls in rows of "other": sums over the span. */
  readonly lost: number
  readonly late: number
  readonly others: number
  readonly calls: number
}

const rowKey = ({ by, workload, pid, start_us, go_function, syscall, window_start }: Rollup): string =>
  `${window_start} ${by} ${pid} ${start_us} ${syscall} ${workload} ${go_function ?? ''}`

class RecentHost {
  readonly host: string
  /** Of the shortest windows: the table moves with them. */
  windowMs = Number.POSITIVE_INFINITY
  heardMs = 0
  /** Start of the first window that was seen. */
  #firstUs = Number.POSITIVE_INFINITY
  /** End of the newest window that closed. */
  #endUs = Number.NEGATIVE_INFINITY
  readonly #rows = new Map<string, Rollup>()
  readonly #statuses = new Map<string, HostStatus>()
  /** Calls that were in an open window, and when: those are told one by one, the others counted until it closes. */
  readonly #told = new Map<string, number>()

  constructor(host: string) {
    this.host = host
  }

  add(rollup: Rollup): void {
    if (!this.#takes(rollup)) return
    const key = rowKey(rollup)
    const held = this.#rows.get(key)
    if (held !== undefined && held.revision >= rollup.revision) return
    this.#rows.set(key, rollup)
    if (rollup.complete) this.#endUs = Math.max(this.#endUs, rollup.window_start + this.windowMs * 1000)
    else this.#told.set(rollup.syscall, Math.max(rollup.window_start, this.#told.get(rollup.syscall) ?? 0))
  }

  addStatus(status: HostStatus): void {
    if (!this.#takes(status)) return
    this.#statuses.set(`${status.run} ${status.window_start}`, status)
    this.#endUs = Math.max(this.#endUs, status.window_start + status.window_ms * 1000)
  }

  /** Rows of the span, each with its seconds; forgets what is older. */
  parts(by: RollupKey, options: RecentOptions): Part[] {
    const fromUs = this.#forget(options.spanMs)
    const closedSeconds = this.#closedSeconds(fromUs)
    const open = new Set<number>()
    const rows: Rollup[] = []
    for (const row of this.#rows.values()) {
      if (row.window_start >= this.#endUs) open.add(row.window_start)
      if (row.by === by) rows.push(row)
    }
    const openSeconds = (open.size * Math.min(options.partialAfterMs, this.windowMs)) / 1000
    return rows.map((rollup) => {
      const seconds = closedSeconds + (this.#told.has(rollup.syscall) ? openSeconds : 0)
      return { rollup, seconds }
    })
  }

  sight(spanMs: number): HostSight {
    const fromUs = this.#forget(spanMs)
    const statuses = [...this.#statuses.values()]
    const sum = (of: (status: HostStatus) => number): number => statuses.reduce((total, one) => total + of(one), 0)
    const seconds = this.#closedSeconds(fromUs)
    const perSecond = (count: number): number => (seconds > 0 ? count / seconds : 0)
    const newest = statuses.reduce<HostStatus | undefined>(
      (found, one) => (found === undefined || one.watermark >= found.watermark ? one : found),
      undefined
    )
    const told = sum(({ events }) => events)
    const counted = sum((status) => status.counted)
    return {
      host: this.host,
      watermarkMs: (newest?.watermark ?? this.#endUs) / 1000,
      heardMs: this.heardMs,
      final: newest?.final ?? false,
      emittedPerSecond: perSecond(told),
      countedPerSecond: perSecond(counted),
      lost: sum(({ drops }) => drops.reduce((total, { count }) => total + count, 0)),
      late: sum(({ late }) => late),
      others: sum(({ others }) => others),
      calls: told + counted
    }
  }

  /** Whether a record is of the shortest windows; begins anew when there are shorter ones, or the clock was stepped back. */
  #takes({ window_ms, window_start }: Pick<Rollup, 'window_ms' | 'window_start'>): boolean {
    if (window_ms > this.windowMs) return false
    if (window_ms < this.windowMs || window_start < this.#endUs - stepBackUs) {
      this.windowMs = window_ms
      this.#firstUs = Number.POSITIVE_INFINITY
      this.#endUs = Number.NEGATIVE_INFINITY
      for (const held of [this.#rows, this.#statuses, this.#told]) held.clear()
    }
    this.#firstUs = Math.min(this.#firstUs, window_start)
    return true
  }

  /** @returns where the span begins, microseconds since the epoch */
  #forget(spanMs: number): number {
    const fromUs = this.#endUs - Math.max(spanMs, this.windowMs) * 1000
    for (const [key, row] of this.#rows) if (row.window_start < fromUs) this.#rows.delete(key)
    for (const [key, status] of this.#statuses) if (status.window_start < fromUs) this.#statuses.delete(key)
    for (const [call, seenUs] of this.#told) if (seenUs < fromUs) this.#told.delete(call)
    return Math.max(fromUs, this.#firstUs)
  }

  #closedSeconds(fromUs: number): number {
    return Math.max(0, this.#endUs - fromUs) / 1_000_000
  }
}

export class RecentRollups {
  readonly #options: RecentOptions
  readonly #hosts = new Map<string, RecentHost>()

  constructor(options: RecentOptions) {
    this.#options = options
  }

  /** @param heardMs when it came to Kafka */
  add(rollup: Rollup, heardMs: number): void {
    this.#hostOf(rollup.host, heardMs).add(rollup)
  }

  addStatus(status: HostStatus, heardMs: number): void {
    this.#hostOf(status.host, heardMs).addStatus(status)
  }

  /** Rows of all hosts but those of which nothing came since `silentMs`: they leave the table. */
  parts(by: RollupKey, silentMs: number): Part[] {
    return [...this.#hosts.values()]
      .filter(({ heardMs }) => heardMs >= silentMs)
      .flatMap((host) => host.parts(by, this.#options))
  }

  /** All hosts that were heard of, by name. */
  hosts(): HostSight[] {
    return [...this.#hosts.values()]
      .map((host) => host.sight(this.#options.spanMs))
      .sort((a, b) => (a.host < b.host ? -1 : 1))
  }

  #hostOf(name: string, heardMs: number): RecentHost {
    const host = this.#hosts.get(name) ?? new RecentHost(name)
    this.#hosts.set(name, host)
    host.heardMs = Math.max(host.heardMs, heardMs)
    return host
  }
}
