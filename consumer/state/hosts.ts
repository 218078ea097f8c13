// State of a handler for each host of its partition. A host expires when it is silent for a minute while others send:
// it would keep the partition's resume offset back forever.
import type { EventBatch } from '../../wire/types.ts'

const silentUs = 60_000_000

interface Entry<State> {
  readonly state: State
  run: string
  /** The partition's clock minus the host's monotonic clock. */
  aheadUs: number
  /** The partition's clock at the host's last batch. */
  seenUs: number
}

/** Origin and time of a batch. */
type Stamped = Pick<EventBatch, 'host' | 'run' | 'clock'>

export class Hosts<State, Batch extends Stamped = EventBatch> {
  readonly #create: (batch: Batch) => State
  readonly #entries = new Map<string, Entry<State>>()
  #nowUs = 0

  constructor(create: (batch: Batch) => State) {
    this.#create = create
  }

  /** The partition's clock, in microseconds: it advances with the monotonic clocks of its hosts. */
  get nowUs(): number {
    return this.#nowUs
  }

  /** The state of the batch's host; created for a new or expired host. */
  of(batch: Batch): State {
    let entry = this.#entries.get(batch.host)
    if (entry === undefined) {
      entry = { state: this.#create(batch), run: '', aheadUs: 0, seenUs: 0 }
      this.#entries.set(batch.host, entry)
    }
    if (entry.run !== batch.run) {
      entry.run = batch.run
      entry.aheadUs = this.#nowUs - batch.clock.monotonic_us
    }
    this.#nowUs = Math.max(this.#nowUs, batch.clock.monotonic_us + entry.aheadUs)
    entry.seenUs = this.#nowUs
    return entry.state
  }

  *states(): Iterable<State> {
    for (const { state } of this.#entries.values()) yield state
  }

  /** Removes the silent hosts and returns their states. */
  expireSilent(): State[] {
    const silent: State[] = []
    for (const [host, { state, seenUs }] of this.#entries) {
      if (this.#nowUs - seenUs <= silentUs) continue
      silent.push(state)
      this.#entries.delete(host)
    }
    return silent
  }
}

/** The lowest resume offset of several hosts; undefined when none has one. */
export const earliestOffset = (offsets: Iterable<bigint | undefined>): bigint | undefined => {
  let earliest: bigint | undefined
  for (const offset of offsets) {
    if (offset !== undefined && (earliest === undefined || offset < earliest)) earliest = offset
  }
  return earliest
}
