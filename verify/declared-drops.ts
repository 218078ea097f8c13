// Drops that the batches of a run chain declare, by class and reason. After a takeover the drops of the dead run's
// batches beyond its last durable one are taken back: the successor declares them again.
import { eventClasses } from '../wire/event-class.ts'
import type { Drop, EventBatch, EventClass, Predecessor } from '../wire/types.ts'
import { type ByClass, noneByClass } from './by-class.ts'

interface RecentBatch {
  readonly run: string
  readonly batch: number
  readonly drops: readonly Drop[]
  readonly events: Readonly<ByClass>
}

/** A dead edge has published a few dozen batches beyond its last durable one, at most. */
export const maxRecentBatches = 4096

export class DeclaredDrops {
  /** Events of superseded batches: the successor publishes them again, or drops them. */
  readonly superseded = noneByClass()
  readonly #drops = new Map<string, number>()
  #recent: RecentBatch[] = []

  /** @param events of the batch, duplicates included */
  add({ run, batch, drops }: EventBatch, events: Readonly<ByClass>): void {
    this.#sum(drops, 1)
    this.#recent.push({ run, batch, drops, events })
    if (this.#recent.length > 2 * maxRecentBatches) this.#recent = this.#recent.slice(-maxRecentBatches)
  }

  /** Drops of a class, or of all; for a reason, or for all. */
  count(name?: EventClass, reason?: string): number {
    let sum = 0
    for (const [key, count] of this.#drops) {
      const [ofClass, ofReason] = key.split(' ')
      if ((name ?? ofClass) === ofClass && (reason ?? ofReason) === ofReason) sum += count
    }
    return sum
  }

  /**
   * Takes back the drops of all batches after the predecessor's.
   * @param later runs that took over from the same predecessor and died
   * @returns false when some of these batches are no longer kept
   */
  supersede({ run, batch }: Predecessor, later: ReadonlySet<string>): boolean {
    const isSuperseded = (recent: RecentBatch): boolean =>
      later.has(recent.run) || (recent.run === run && recent.batch > batch)
    const areAllKept = this.#recent.length < maxRecentBatches || !isSuperseded(this.#recent[0] as RecentBatch)
    for (const recent of this.#recent) {
      if (!isSuperseded(recent)) continue
      this.#sum(recent.drops, -1)
      for (const name of eventClasses) this.superseded[name] += recent.events[name]
    }
    this.#recent = this.#recent.filter((recent) => !isSuperseded(recent))
    return areAllKept
  }

  #sum(drops: readonly Drop[], sign: 1 | -1): void {
    for (const drop of drops) {
      const key = `${drop.class} ${drop.reason}`
      this.#drops.set(key, (this.#drops.get(key) ?? 0) + sign * drop.count)
    }
  }
}
