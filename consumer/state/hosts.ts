// The state that a handler keeps for each host of its partition. A host without a batch for a minute,
// while others went on, is let go: it would hold the partition's offset back for ever.
import type { EventBatch } from '../../wire/types.ts'

const silentUs = 60_000_000

interface Entry<State> {
  readonly state: State
  run: string
  /** What has to be added to the host's monotonic clock to have the partition's. */
  aheadUs: number
  /** On the partition's clock. */
  seenUs: number
}

/** What a batch says of where it is from, and when. */
type Stamped = Pick<EventBatch, 'host' | 'run' | 'clock'>

export class Hosts<State, Batch extends Stamped = EventBatch> {
  readonly #create: (batch: Batch) => State
  readonly #entries = new Map<string, Entry<State>>()
  #nowUs = 0

  constructor(create: (batch: Batch) => State) {
    this.#create = create
  }

  /** How long the partition has been watched, microseconds: what its hosts' monotonic clocks agree on. */
  get nowUs(): number {
    return this.#nowUs
  }

  /** The state of the batch's host; a new one for a host not heard of before, or let go. */
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

  /** Lets go of the hosts that fell silent, and returns their states. */
  takeSilent(): State[] {
    const silent: State[] = []
    for (const [host, { state, seenUs }] of this.#entries) {
      if (this.#nowUs - seenUs <= silentUs) continue
      silent.push(state)
      this.#entries.delete(host)
    }
    return silent
  }
}

/** The earliest of the offsets that hosts have to be read from again; undefined when none has. */
export const earliestOffset = (offsets: Iterable<bigint | undefined>): bigint | undefined => {
  let earliest: bigint | undefined
  for (const offset of offsets) {
    if (offset !== undefined && (earliest === undefined || offset < earliest)) earliest = offset
  }
  return earliest
}
