// The rollups service: batches of events go in, rows of their windows come out. Its state is made again
// after a restart by reading from the hold offset; what was published before is not published again.
import type { Config } from '../../runtime/config.ts'
import type { Log } from '../../runtime/log.ts'
import type { EventBatch, Rollup } from '../../wire/types.ts'
import type { Checkpoint, Context, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { Repeats } from '../repeats.ts'
import { Replay } from '../replay.ts'
import { CallNames, Calls } from './calls.ts'
import { HostWindows } from './windows.ts'

/** A host without a batch for so long, while others of its partition went on, is let go with its windows. */
const silentUs = 60_000_000
/** Between two lines of the log about calls that no window took. */
const logEveryUs = 60_000_000

interface Host {
  windows: HostWindows
  run: string
  /** What has to be added to the host's monotonic clock to have the partition's. */
  aheadUs: number
  /** On the partition's clock. */
  seenUs: number
}

export class Rollups implements StatefulHandler {
  readonly #options: Config['rollups']
  readonly #names = new CallNames()
  readonly #calls = new Calls()
  readonly #replay = new Replay()
  readonly #repeats = new Repeats()
  readonly #hosts = new Map<string, Host>()
  /** How long the partition was watched: what its hosts' monotonic clocks agree on. */
  #nowUs = 0
  #loggedUs = 0
  #logged = 0
  readonly #counters = { repeats: 0, late: 0, outside: 0 }

  constructor(options: Config['rollups']) {
    this.#options = options
  }

  /** Since the start: batches that were repeats; calls that came after, or lay outside, what windows take. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(batch: EventBatch, context: Context): Output[] {
    const published = this.#replay.begin(context)
    if (this.#repeats.isRepeat(batch)) {
      this.#counters.repeats++
      return []
    }
    const rollups: Rollup[] = []
    const host = this.#hostOf(batch, rollups)
    this.#calls.fill(batch, this.#names)
    host.windows.add(batch, this.#calls, context.offset)
    rollups.push(...host.windows.close(batch.clock.wall_us, batch.final))
    this.#forgetSilentHosts(rollups)
    if (!published) this.#count(host.windows, context.log)
    return published ? [] : rollups.map((value) => ({ to: 'rollups', value }))
  }

  checkpoint(): Checkpoint {
    let holdOffset: bigint | undefined
    for (const { windows } of this.#hosts.values()) {
      const offset = windows.holdOffset
      if (offset !== undefined && (holdOffset === undefined || offset < holdOffset)) holdOffset = offset
    }
    return this.#replay.checkpoint(holdOffset)
  }

  restore(metadata: string): void {
    this.#replay.restore(metadata)
  }

  #hostOf(batch: EventBatch, rollups: Rollup[]): Host {
    const { wall_us, monotonic_us } = batch.clock
    let host = this.#hosts.get(batch.host)
    if (host?.windows.isBefore(wall_us)) {
      // The clock was stepped back: the time to come was lived before, and begins anew.
      rollups.push(...host.windows.close(wall_us, true))
      host.windows = this.#windowsFrom(batch)
    }
    if (host === undefined) {
      host = { windows: this.#windowsFrom(batch), run: '', aheadUs: 0, seenUs: 0 }
      this.#hosts.set(batch.host, host)
    }
    if (host.run !== batch.run) {
      host.run = batch.run
      host.aheadUs = this.#nowUs - monotonic_us
    }
    this.#nowUs = Math.max(this.#nowUs, monotonic_us + host.aheadUs)
    host.seenUs = this.#nowUs
    return host
  }

  /** Nothing came before a run's first batch; before any other there were calls of the windows it lies in. */
  #windowsFrom({ host, batch, clock }: EventBatch): HostWindows {
    const floorUs = batch === 1 ? Number.NEGATIVE_INFINITY : clock.wall_us
    return new HostWindows(host, this.#options, this.#names, floorUs)
  }

  #forgetSilentHosts(rollups: Rollup[]): void {
    for (const [name, host] of this.#hosts) {
      if (this.#nowUs - host.seenUs <= silentUs) continue
      rollups.push(...host.windows.close(Number.NEGATIVE_INFINITY, true))
      this.#hosts.delete(name)
    }
  }

  #count(windows: HostWindows, log: Log): void {
    const { late, outside } = windows.takeCounts()
    this.#counters.late += late
    this.#counters.outside += outside
    const sum = this.#counters.late + this.#counters.outside
    if (sum === this.#logged || (this.#logged > 0 && this.#nowUs - this.#loggedUs < logEveryUs)) return
    this.#logged = sum
    this.#loggedUs = this.#nowUs
    log.warn(this.#counters, 'calls came too late for their windows, or lay outside them')
  }
}

/** The rollups service as the consume loop hosts it. */
export const rollupsModule = (options: Config['rollups']): HandlerModule => ({ create: () => new Rollups(options) })
