// The rollups service: batches of events and summaries in; rows of their windows and host statuses out. A restart rebuilds
// its state from the resume offset, and publishes nothing twice.
import { LRUCache } from 'lru-cache'
import type { Config } from '../../runtime/config.ts'
import type { Log } from '../../runtime/log.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { Checkpoint, Context, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { earliestOffset, type Hosts, hostsOfBatches } from '../state/hosts.ts'
import { Replay } from '../state/replay.ts'
import { BatchCachePool } from './batch-cache.ts'
import { HostStatuses, type RejectedCalls } from './host-status.ts'
import { HostWindows, type WindowResults, watermarkDelayUs } from './host-windows.ts'
import type { Cell } from './shortest-window.ts'

/** Between two warnings about calls that no window accepts. */
const warnEveryMs = 60_000
/** Silent hosts whose windows are kept: a partition has fewer, unless someone forges names. */
const maxSilent = 100

interface Host {
  readonly name: string
  windows: HostWindows
  readonly statuses: HostStatuses
}

export class Rollups implements StatefulHandler<ColumnBatch> {
  readonly #options: Config['rollups']
  readonly #pool = new BatchCachePool<Cell>()
  readonly #replay = new Replay()
  readonly #hosts: Hosts<Host, ColumnBatch>
  /** Hosts that are silent: one that drains its spool afterwards continues its windows. */
  readonly #suspended = new LRUCache<string, Host>({ max: maxSilent })
  #warnedMs = 0
  /** Rejected calls at the last warning. */
  #warnedCalls = 0
  readonly #counters = { counted: 0, late: 0, outside: 0 }
  #replaying = false

  /** @param nowUs this service's clock, microseconds since the epoch */
  constructor(options: Config['rollups'], nowUs: () => number = () => Date.now() * 1000) {
    this.#options = options
    this.#hosts = hostsOfBatches((batch) => {
      const suspended = this.#suspended.get(batch.host)
      this.#suspended.delete(batch.host)
      if (suspended !== undefined) return suspended
      const statuses = new HostStatuses(Math.min(...options.windowsMs), nowUs)
      return { name: batch.host, windows: this.#createWindows(batch), statuses }
    })
  }

  /** Counted calls, late calls, and calls outside the accepted time range, since the start. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(batch: ColumnBatch, context: Context): Output[] {
    this.#replaying = this.#replay.begin(context)
    const outputs: Output[] = []
    const host = this.#hosts.of(batch, context.timestampMs)
    if (host.windows.isBefore(batch.clock.wall_us)) {
      // The wall clock was stepped back: windows of the repeated time begin anew.
      publish(host, host.windows.end(), outputs)
      host.windows = this.#createWindows(batch)
    }
    const rejected = host.windows.add(batch, context.offset, this.#pool)
    host.statuses.add(batch, rejected, batch.clock.wall_us - (batch.final ? 0 : watermarkDelayUs))
    publish(host, host.windows.advance(batch), outputs)
    for (const silent of this.#hosts.expireSilent()) {
      publish(silent, silent.windows.suspend(), outputs)
      this.#suspended.set(silent.name, silent)
    }
    if (this.#replaying) return []
    this.#count(batch, rejected, context.log)
    return outputs
  }

  checkpoint(): Checkpoint {
    return this.#replay.checkpoint(earliestOffset(this.#resumeOffsets()))
  }

  get isReplaying(): boolean {
    return this.#replaying
  }

  restore(metadata: string): void {
    this.#replay.restore(metadata)
  }

  *#resumeOffsets(): Iterable<bigint | undefined> {
    for (const { windows } of this.#hosts.states()) yield windows.resumeOffset
  }

  /** Accepts all times when the run begins with this batch; else only windows that start after it, which are whole. */
  #createWindows({ host, batch, continues, clock }: ColumnBatch): HostWindows {
    const floorUs = batch === 1 && continues === null ? Number.NEGATIVE_INFINITY : clock.wall_us
    return new HostWindows(host, this.#options, floorUs)
  }

  #count({ summaries }: ColumnBatch, { late, outside }: Readonly<RejectedCalls>, log: Log): void {
    for (let row = 0; row < summaries.length; row++) this.#counters.counted += summaries.count[row] as number
    this.#counters.late += late
    this.#counters.outside += outside
    const rejected = this.#counters.late + this.#counters.outside
    if (rejected === this.#warnedCalls) return
    if (this.#warnedCalls > 0 && this.#hosts.nowMs - this.#warnedMs < warnEveryMs) return
    this.#warnedCalls = rejected
    this.#warnedMs = this.#hosts.nowMs
    log.warn(
      { late: this.#counters.late, outside: this.#counters.outside },
      'calls late or outside the accepted time range, left out of all windows'
    )
  }
}

const publish = ({ statuses }: Host, { rollups, closed }: WindowResults, outputs: Output[]): void => {
  for (const value of rollups) outputs.push({ to: 'rollups', value })
  for (const value of statuses.take(closed)) outputs.push({ to: 'hosts', value })
}

/** The rollups service as a module for the consume loop. */
export const rollupsModule = (options: Config['rollups']): HandlerModule => ({
  handlers: { columns: () => new Rollups(options) }
})
