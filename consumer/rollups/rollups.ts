// The rollups service: batches of events and summaries go in, rows of their windows come out. Its state is made again
// after a restart by reading from the hold offset; what was published before is not published again.
import type { Config } from '../../runtime/config.ts'
import type { Log } from '../../runtime/log.ts'
import type { EventBatch, Rollup } from '../../wire/types.ts'
import type { Checkpoint, Context, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { earliestOffset, Hosts } from '../hosts.ts'
import { Replay } from '../replay.ts'
import { CallNames, Calls } from './calls.ts'
import { HostWindows, type WindowCounts } from './windows.ts'

/** Between two lines of the log about calls that no window took. */
const logEveryUs = 60_000_000

interface Host {
  windows: HostWindows
}

export class Rollups implements StatefulHandler {
  readonly #options: Config['rollups']
  readonly #names = new CallNames()
  readonly #calls = new Calls()
  readonly #replay = new Replay()
  readonly #hosts = new Hosts<Host>((batch) => ({ windows: this.#windowsFrom(batch) }))
  #loggedUs = 0
  #logged = 0
  readonly #counters = { counted: 0, late: 0, outside: 0 }
  #replaying = false

  constructor(options: Config['rollups']) {
    this.#options = options
  }

  /** Since the start: calls in summaries; calls that came after, or lay outside, what windows take. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(batch: EventBatch, context: Context): Output[] {
    this.#replaying = this.#replay.begin(context)
    const rollups: Rollup[] = []
    const host = this.#hosts.of(batch)
    if (host.windows.isBefore(batch.clock.wall_us)) {
      // The clock was stepped back: the time to come was lived before, and begins anew.
      rollups.push(...host.windows.end(batch.clock.wall_us))
      host.windows = this.#windowsFrom(batch)
    }
    this.#calls.fill(batch, this.#names)
    host.windows.add(batch, this.#calls, context.offset)
    rollups.push(...host.windows.close(batch))
    for (const { windows } of this.#hosts.takeSilent()) rollups.push(...windows.end(batch.clock.wall_us))
    const counts = host.windows.takeCounts()
    if (this.#replaying) return []
    this.#counters.counted += batch.summaries.reduce((sum, { count }) => sum + count, 0)
    this.#count(counts, context.log)
    return rollups.map((value) => ({ to: 'rollups', value }))
  }

  checkpoint(): Checkpoint {
    return this.#replay.checkpoint(earliestOffset(this.#holdOffsets()))
  }

  get isReplaying(): boolean {
    return this.#replaying
  }

  restore(metadata: string): void {
    this.#replay.restore(metadata)
  }

  *#holdOffsets(): Iterable<bigint | undefined> {
    for (const { windows } of this.#hosts.states()) yield windows.holdOffset
  }

  /** Nothing came before the first batch of a run begun anew; else there were calls of the windows it lies in. */
  #windowsFrom({ host, batch, continues, clock }: EventBatch): HostWindows {
    const floorUs = batch === 1 && continues === null ? Number.NEGATIVE_INFINITY : clock.wall_us
    return new HostWindows(host, this.#options, this.#names, floorUs)
  }

  #count({ late, outside }: Readonly<WindowCounts>, log: Log): void {
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

/** The rollups service as the consume loop hosts it. */
export const rollupsModule = (options: Config['rollups']): HandlerModule => ({ create: () => new Rollups(options) })
