// State of a handler for each host of its partition. A host expires when it is silent while others send: it would keep the
// partition's resume offset back forever. Time is Kafka's: no host's clock has a say in another host's silence.
import type { EventBatch } from '../../wire/types.ts'

export interface HostsOptions<State, Input> {
  readonly create: (input: Input) => State
  readonly hostOf: (input: Input) => string
  /** A host expires when others have sent for longer than this without an input of the host. */
  readonly silentMs: number
}

interface Entry<State> {
  readonly state: State
  /** The partition's time at the host's last input. */
  seenMs: number
}

/** An edge sends once a second: a longer pause is of the partition, as in an outage of Kafka, and silences nobody. */
const maxPauseMs = 5_000

export class Hosts<State, Input> {
  readonly #options: HostsOptions<State, Input>
  readonly #entries = new Map<string, Entry<State>>()
  /** Kafka's time of the last input. */
  #appendedMs = Number.NEGATIVE_INFINITY
  #nowMs = 0
  /** The partition's time at the last search for silent hosts. */
  #searchedMs = 0

  constructor(options: HostsOptions<State, Input>) {
    this.#options = options
  }

  /** The partition's time: how long inputs have arrived, without the pauses between them. */
  get nowMs(): number {
    return this.#nowMs
  }

  /**
   * The state of the input's host; created for a new or expired host.
   * @param appendedMs when Kafka appended the input
   */
  of(input: Input, appendedMs: number): State {
    const host = this.#options.hostOf(input)
    const passedMs = Math.max(0, appendedMs - this.#appendedMs)
    this.#appendedMs = Math.max(this.#appendedMs, appendedMs)
    this.#nowMs += Math.min(passedMs, maxPauseMs)
    let entry = this.#entries.get(host)
    if (entry === undefined) {
      entry = { state: this.#options.create(input), seenMs: 0 }
      this.#entries.set(host, entry)
    }
    entry.seenMs = this.#nowMs
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
    if (this.#nowMs === this.#searchedMs) return []
    this.#searchedMs = this.#nowMs
    const silent: State[] = []
    for (const [host, { state, seenMs }] of this.#entries) {
      if (this.#nowMs - seenMs <= this.#options.silentMs) continue
      silent.push(state)
      this.#entries.delete(host)
    }
    return silent
  }
}

/** Hosts whose inputs are batches: a host expires after a minute. */
export const hostsOfBatches = <State, Batch extends Pick<EventBatch, 'host'> = EventBatch>(
  create: (batch: Batch) => State
): Hosts<State, Batch> => new Hosts({ create, hostOf: ({ host }) => host, silentMs: 60_000 })

/** The lowest resume offset of several hosts; undefined when none has one. */
export const earliestOffset = (offsets: Iterable<bigint | undefined>): bigint | undefined => {
  let earliest: bigint | undefined
  for (const offset of offsets) {
    if (offset !== undefined && (earliest === undefined || offset < earliest)) earliest = offset
  }
  return earliest
}
