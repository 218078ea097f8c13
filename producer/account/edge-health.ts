// Why an edge does not do its work: Kafka acknowledges nothing while batches wait, or the rings are about to drop events.
import type { EdgeFigures } from './metrics.ts'

/** A broker's restart takes some 15 s. */
const longMs = 60_000
/** The kernel drops what a full ring does not take. */
const highPressure = 0.9
const sampleMs = 5000

export class EdgeHealth {
  readonly #edge: Pick<EdgeFigures, 'counters' | 'pressure'>
  readonly #now: () => number
  readonly #timer: NodeJS.Timeout
  #batches = 0
  #progressMs: number

  constructor(edge: Pick<EdgeFigures, 'counters' | 'pressure'>, now: () => number = Date.now) {
    this.#edge = edge
    this.#now = now
    this.#progressMs = now()
    this.#timer = setInterval(() => this.sample(), sampleMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  sample(): void {
    const { batches = 0, backlogBytes = 0, spoolBytes = 0 } = this.#edge.counters()
    if (batches !== this.#batches || backlogBytes + spoolBytes === 0) this.#progressMs = this.#now()
    this.#batches = batches
  }

  /** One line for each problem. */
  problems(): string[] {
    this.sample()
    const problems: string[] = []
    const silentMs = this.#now() - this.#progressMs
    if (silentMs > longMs) {
      problems.push(
        `Kafka has acknowledged no batch for ${Math.round(silentMs / 1000)} s while batches wait: check that it answers (\`ringside doctor\`)`
      )
    }
    if (this.#edge.pressure > highPressure) {
      problems.push(
        `a ring is ${Math.round(100 * this.#edge.pressure)} % full of events that are not durable: check Kafka and the disk of the spool`
      )
    }
    return problems
  }
}
