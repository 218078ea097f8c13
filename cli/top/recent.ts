// Rollups and host statuses → the last seconds of each host: every window once, in its highest revision, and the seconds
// that its counts cover, so that rates are right while the newest window is open. Pure.
import type { HostStatus, Rollup, RollupKey } from '../../wire/types.ts'

/** A row this much older than the newest window: the host's clock was stepped back, and its rows are cleared. */
const stepBackUs = 120_000_000

export interface RecentOptions {
  /** Length of the time that the table covers. */
  readonly spanMs: number
  /** Age at which the partial result of an open window is published, see rollups.partialAfterMs. */
  readonly partialAfterMs: number
}

/** A row of one window, and the seconds that the host's rows of its call cover together. */
export interface Part {
  readonly rollup: Rollup
  readonly seconds: number
}

/** Figures of one host, from its statuses within the span. */
export interface HostFigures {
  readonly host: string
  /** By the host's clock: all events before it have arrived. Milliseconds since the epoch. */
  readonly watermarkMs: number
  /** Kafka timestamp of its last message. */
  readonly lastMessageMs: number
  /** The edge's run ended in order. */
  readonly final: boolean
  readonly emittedPerSecond: number
  readonly countedPerSecond: number
  /** Sums over the span: dropped events, late calls, calls in rows of "other". */
  readonly dropped: number
  readonly late: number
  readonly others: number
  readonly calls: number
}

const rowKey = ({ by, workload, pid, start_us, go_function, syscall, window_start }: Rollup): string =>
  `${window_start} ${by} ${pid} ${start_us} ${syscall} ${workload} ${go_function ?? ''}`

class RecentHost {
  readonly host: string
  /** Length of the shortest windows: only these are kept. */
  windowMs = Number.POSITIVE_INFINITY
  lastMessageMs = 0
  /** Start of the first window. */
  #firstUs = Number.POSITIVE_INFINITY
  /** End of the newest closed window. */
  #endUs = Number.NEGATIVE_INFINITY
  readonly #rows = new Map<string, Rollup>()
  readonly #statuses = new Map<string, HostStatus>()
  /** Calls with rows in open windows, and the newest such window: emitted calls. Counted ones appear when it closes. */
  readonly #emitted = new Map<string, number>()

  constructor(host: string) {
    this.host = host
  }

  add(rollup: Rollup): void {
    if (!this.#accepts(rollup)) return
    const key = rowKey(rollup)
    const held = this.#rows.get(key)
    if (held !== undefined && held.revision >= rollup.revision) return
    this.#rows.set(key, rollup)
    if (rollup.complete) this.#endUs = Math.max(this.#endUs, rollup.window_start + this.windowMs * 1000)
    else this.#emitted.set(rollup.syscall, Math.max(rollup.window_start, this.#emitted.get(rollup.syscall) ?? 0))
  }

  addStatus(status: HostStatus): void {
    if (!this.#accepts(status)) return
    this.#statuses.set(`${status.run} ${status.window_start}`, status)
    this.#endUs = Math.max(this.#endUs, status.window_start + status.window_ms * 1000)
  }

  /** Rows within the span, each with its seconds. */
  parts(by: RollupKey, options: RecentOptions): Part[] {
    const fromUs = this.#expire(options.spanMs)
    const closedSeconds = this.#closedSeconds(fromUs)
    const open = new Set<number>()
    const rows: Rollup[] = []
    for (const row of this.#rows.values()) {
      if (row.window_start >= this.#endUs) open.add(row.window_start)
      if (row.by === by) rows.push(row)
    }
    const openSeconds = (open.size * Math.min(options.partialAfterMs, this.windowMs)) / 1000
    return rows.map((rollup) => {
      const seconds = closedSeconds + (this.#emitted.has(rollup.syscall) ? openSeconds : 0)
      return { rollup, seconds }
    })
  }

  figures(spanMs: number): HostFigures {
    this.#expire(spanMs)
    const statuses = [...this.#statuses.values()]
    const sum = (of: (status: HostStatus) => number): number => statuses.reduce((total, one) => total + of(one), 0)
    // The rollups of a window may arrive before its status, which is in another topic.
    const seconds = (new Set(statuses.map(({ window_start }) => window_start)).size * this.windowMs) / 1000
    const perSecond = (count: number): number => (seconds > 0 ? count / seconds : 0)
    const newest = statuses.reduce<HostStatus | undefined>(
      (found, one) => (found === undefined || one.watermark >= found.watermark ? one : found),
      undefined
    )
    const emitted = sum(({ events }) => events)
    const counted = sum((status) => status.counted)
    return {
      host: this.host,
      watermarkMs: (newest?.watermark ?? this.#endUs) / 1000,
      lastMessageMs: this.lastMessageMs,
      final: newest?.final ?? false,
      emittedPerSecond: perSecond(emitted),
      countedPerSecond: perSecond(counted),
      dropped: sum(({ drops }) => drops.reduce((total, { count }) => total + count, 0)),
      late: sum(({ late }) => late),
      others: sum(({ others }) => others),
      calls: emitted + counted
    }
  }

  /** False for a longer window than the shortest. Clears all rows at a shorter window, and after a clock step back. */
  #accepts({ window_ms, window_start }: Pick<Rollup, 'window_ms' | 'window_start'>): boolean {
    if (window_ms > this.windowMs) return false
    if (window_ms < this.windowMs || window_start < this.#endUs - stepBackUs) {
      this.windowMs = window_ms
      this.#firstUs = Number.POSITIVE_INFINITY
      this.#endUs = Number.NEGATIVE_INFINITY
      for (const held of [this.#rows, this.#statuses, this.#emitted]) held.clear()
    }
    this.#firstUs = Math.min(this.#firstUs, window_start)
    return true
  }

  /** Removes rows older than the span. @returns its start, microseconds since the epoch */
  #expire(spanMs: number): number {
    const fromUs = this.#endUs - Math.max(spanMs, this.windowMs) * 1000
    for (const [key, row] of this.#rows) if (row.window_start < fromUs) this.#rows.delete(key)
    for (const [key, status] of this.#statuses) if (status.window_start < fromUs) this.#statuses.delete(key)
    for (const [call, startUs] of this.#emitted) if (startUs < fromUs) this.#emitted.delete(call)
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

  /** @param timestampMs of its message in Kafka */
  add(rollup: Rollup, timestampMs: number): void {
    this.#hostOf(rollup.host, timestampMs).add(rollup)
  }

  addStatus(status: HostStatus, timestampMs: number): void {
    this.#hostOf(status.host, timestampMs).addStatus(status)
  }

  /** Rows of all hosts with a message since `silentBeforeMs`. */
  parts(by: RollupKey, silentBeforeMs: number): Part[] {
    return [...this.#hosts.values()]
      .filter(({ lastMessageMs }) => lastMessageMs >= silentBeforeMs)
      .flatMap((host) => host.parts(by, this.#options))
  }

  /** Every host, by name. */
  hosts(): HostFigures[] {
    return [...this.#hosts.values()]
      .map((host) => host.figures(this.#options.spanMs))
      .sort((a, b) => (a.host < b.host ? -1 : 1))
  }

  #hostOf(name: string, timestampMs: number): RecentHost {
    const host = this.#hosts.get(name) ?? new RecentHost(name)
    this.#hosts.set(name, host)
    host.lastMessageMs = Math.max(host.lastMessageMs, timestampMs)
    return host
  }
}
