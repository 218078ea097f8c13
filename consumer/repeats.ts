// Recognises batches that were handled before: an edge that got no answer from Kafka sends again.
import type { EventBatch } from '../wire/types.ts'

/** Runs that are remembered: one for each host that is on, and a partition has far fewer. */
const knownRuns = 10_000

export class Repeats {
  /** The last batch of each run; the run heard from longest ago is first. */
  readonly #last = new Map<string, number>()

  /** Whether this batch, or a later one of its run, was asked about before; remembers it. */
  isRepeat({ host, run, batch }: Pick<EventBatch, 'host' | 'run' | 'batch'>): boolean {
    const key = `${host} ${run}`
    const last = this.#last.get(key) ?? 0
    this.#last.delete(key)
    this.#last.set(key, Math.max(last, batch))
    if (this.#last.size > knownRuns) this.#last.delete(this.#last.keys().next().value as string)
    return batch <= last
  }
}
