// The rollups service: batches of events and summaries go in, rows of their windows and a status for each second of each
// host come out. Its state is made again after a restart by reading from the resume offset; what was published before is
// not published again.
import type { Config } from '../../runtime/config.ts'
import type { Log } from '../../runtime/log.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { Checkpoint, Context, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { earliestOffset, Hosts } from '../state/hosts.ts'
import { Replay } from '../state/replay.ts'
import { HostStatuses, type LeftOut } from './host-status.ts'
import { graceUs, HostWindows, type Told } from './host-windows.ts'
import type { Cell } from './shortest-window.ts'
import { SlotPool } from './slots.ts'

/** Between two lines of the log about calls that no window took. */
const logEveryUs = 60_000_000

interface Host {
  windows: HostWindows
  readonly statuses: HostStatuses
}

export class Rollups implements StatefulHandler<ColumnBatch> {
  readonly #options: Config['rollups']
  readonly #pool = new SlotPool<Cell>()
  readonly #replay = new Replay()
  readonly #hosts: Hosts<Host, ColumnBatch>
  #loggedUs = 0
  #logged = 0
  readonly #counters = { counted: 0, late: 0, outside: 0 }
  #replaying = false

  /** @param nowUs this service's clock, microseconds since the epoch */
  constructor(options: Config['rollups'], nowUs: () => number = () => Date.now() * 1000) {
    this.#options = options
    this.#hosts = new Hosts((batch) => ({
      windows: this.#windowsFrom(batch),
      statuses: new HostStatuses(Math.min(...options.windowsMs), nowUs)
    }))
  }

  /** Since the start: calls in summaries; calls that came after, or lay outside, what windows take. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(batch: ColumnBatch, context: Context): Output[] {
    this.#replaying = this.#replay.begin(context)
    const outputs: Output[] = []
    const host = this.#hosts.of(batch)
    if (host.windows.isBefore(batch.clock.wall_us)) {
      // The clock was stepped back: the time to come was lived before, and begins anew.
      end(host, outputs)
      host.windows = this.#windowsFrom(batch)
    }
    const leftOut = host.windows.add(batch, context.offset, this.#pool)
    host.statuses.add(batch, leftOut, batch.clock.wall_us - (batch.final ? 0 : graceUs))
    put(host, host.windows.tell(batch), outputs)
    for (const silent of this.#hosts.expireSilent()) end(silent, outputs)
    if (this.#replaying) return []
    this.#count(batch, leftOut, context.log)
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

  /** Nothing came before the first batch of a run begun anew; else there were calls of the windows it lies in. */
  #windowsFrom({ host, batch, continues, clock }: ColumnBatch): HostWindows {
    const floorUs = batch === 1 && continues === null ? Number.NEGATIVE_INFINITY : clock.wall_us
    return new HostWindows(host, this.#options, floorUs)
  }

  #count({ summaries }: ColumnBatch, { late, outside }: Readonly<LeftOut>, log: Log): void {
    for (let row = 0; row < summaries.length; row++) this.#counters.counted += summaries.count[row] as number
    this.#counters.late += late
    this.#counters.outside += outside
    const sum = this.#counters.late + this.#counters.outside
    if (sum === this.#logged || (this.#logged > 0 && this.#hosts.nowUs - this.#loggedUs < logEveryUs)) return
    this.#logged = sum
    this.#loggedUs = this.#hosts.nowUs
    log.warn(
      { late: this.#counters.late, outside: this.#counters.outside },
      'calls came too late for their windows, or lay outside them'
    )
  }
}

const put = ({ statuses }: Host, { rollups, closed }: Told, outputs: Output[]): void => {
  for (const value of rollups) outputs.push({ to: 'rollups', value })
  for (const value of statuses.take(closed)) outputs.push({ to: 'hosts', value })
}

const end = (host: Host, outputs: Output[]): void => put(host, host.windows.end(), outputs)

/** The rollups service as the consume loop hosts it. */
export const rollupsModule = (options: Config['rollups']): HandlerModule => ({
  handlers: { columns: () => new Rollups(options) }
})
