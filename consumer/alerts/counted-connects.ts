// The connects that a rule has counted and whose outcome may follow: call and outcome are one attempt.
import type { Event } from '../../wire/types.ts'

/** Beyond it the oldest is evicted, and its outcome counts once more. */
const maxConnects = 65_536

const idOf = (cpu: number, seq: number): string => `${cpu} ${seq}`

export class CountedConnects {
  readonly #windowUs: number
  /** CLOCK_MONOTONIC of each call, microseconds, by cpu and seq; the first counted is first. */
  readonly #calls = new Map<string, number>()

  /** @param windowUs of the rule: a restart replays the calls of as long a time */
  constructor(windowUs: number) {
    this.#windowUs = windowUs
  }

  /** @param event that the rule has counted */
  add({ cpu, seq }: Event, timeUs: number): void {
    this.#calls.set(idOf(cpu, seq), timeUs)
    for (const [id, at] of this.#calls) {
      if (timeUs - at < this.#windowUs && this.#calls.size <= maxConnects) return
      this.#calls.delete(id)
    }
  }

  /** True for the outcome of a counted call, and of a connect that began before the window. */
  has({ call_cpu, call_seq, duration_ns }: Event): boolean {
    return duration_ns >= this.#windowUs * 1000 || this.#calls.delete(idOf(call_cpu, call_seq))
  }

  clear(): void {
    this.#calls.clear()
  }
}
