// Events of one host that the edge declared lost, over the longest window of the rules.
import type { Drop } from '../../wire/types.ts'

interface Loss {
  readonly monotonicUs: number
  readonly class: string
  readonly count: number
}

export class Losses {
  readonly #windowUs: number
  #losses: Loss[] = []

  constructor(windowUs: number) {
    this.#windowUs = windowUs
  }

  /** @param nowUs CLOCK_MONOTONIC of the batch that declares the drops */
  add(drops: readonly Drop[], nowUs: number): void {
    this.#losses = this.#losses.filter(({ monotonicUs }) => nowUs - monotonicUs <= this.#windowUs)
    for (const drop of drops) this.#losses.push({ monotonicUs: nowUs, class: drop.class, count: drop.count })
  }

  /** Number of events of some classes that were lost since a time. */
  since(monotonicUs: number, classes: ReadonlySet<string>): number {
    const relevant = this.#losses.filter((loss) => loss.monotonicUs >= monotonicUs && classes.has(loss.class))
    return relevant.reduce((sum, { count }) => sum + count, 0)
  }

  clear(): void {
    this.#losses = []
  }
}
