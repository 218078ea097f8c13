// State of a handler for each host of its partition. A host expires when it is silent while others send: it would keep the
// partition's resume offset back forever.
import type { EventBatch } from '../../wire/types.ts'

/** Origin and time of an input. */
export interface Stamp {
  readonly host: string
  /** Clocks of a host's different epochs cannot be compared. */
  readonly epoch: string
  readonly clockUs: number
}

export interface HostsOptions<State, Input> {
  readonly create: (input: Input) => State
  readonly stampOf: (input: Input) => Stamp
  /** A host expires when the partition's clock advances by more than this without an input of the host. */
  readonly silentUs: number
}

interface Entry<State> {
  readonly state: State
  epoch: string
  /** The partition's clock minus the host's clock. */
  aheadUs: number
  /** The partition's clock at the host's last input. */
  seenUs: number
}

export class Hosts<State, Input> {
  readonly #options: HostsOptions<State, Input>
  readonly #entries = new Map<string, Entry<State>>()
  #nowUs = 0
  /** The partition's clock at the last search for silent hosts. */
  #searchedUs = 0

  constructor(options: HostsOptions<State, Input>) {
    this.#options = options
  }

  /** The partition's clock, in microseconds: it advances with the clocks of its hosts. */
  get nowUs(): number {
    return this.#nowUs
  }

  /** The state of the input's host; created for a new or expired host. */
  of(input: Input): State {
    const { host, epoch, clockUs } = this.#options.stampOf(input)
    let entry = this.#entries.get(host)
    if (entry === undefined) {
      entry = { state: this.#options.create(input), epoch, aheadUs: this.#nowUs - clockUs, seenUs: 0 }
      this.#entries.set(host, entry)
    }
    if (entry.epoch !== epoch) {
      entry.epoch = epoch
      entry.aheadUs = this.#nowUs - clockUs
    }
    this.#nowUs = Math.max(this.#nowUs, clockUs + entry.aheadUs)
    entry.seenUs = this.#nowUs
    return entry.state
  }

  *states(): Iterable<State> {
    for (const { state } of this.#entries.values()) yield state
  }

  delete(host: string): void {
    this.#entries.delete(host)
  }

  /** Removes the silent hosts and returns their states. */
  expireSilent(): State[] {
    if (this.#nowUs === this.#searchedUs) return []
    this.#searchedUs = this.#nowUs
    const silent: State[] = []
    for (const [host, { state, seenUs }] of this.#entries) {
      if (this.#nowUs - seenUs <= this.#options.silentUs) continue
      silent.push(state)
      this.#entries.delete(host)
    }
    return silent
  }
}

/** Hosts whose inputs are batches: a host expires after a minute. Monotonic clocks: a stepped wall clock ends no host. */
export const hostsOfBatches = <State, Batch extends Pick<EventBatch, 'host' | 'run' | 'clock'> = EventBatch>(
  create: (batch: Batch) => State
): Hosts<State, Batch> =>
  new Hosts({
    create,
    stampOf: ({ host, run, clock }) => ({ host, epoch: run, clockUs: clock.monotonic_us }),
    silentUs: 60_000_000
  })

/** The lowest resume offset of several hosts; undefined when none has one. */
export const earliestOffset = (offsets: Iterable<bigint | undefined>): bigint | undefined => {
  let earliest: bigint | undefined
  for (const offset of offsets) {
    if (offset !== undefined && (earliest === undefined || offset < earliest)) earliest = offset
  }
  return earliest
}
