// The sequence numbers of a run chain, by CPU: those that batches account for, and those of received events and
// summaries. Memory grows with the differences between the two, not with events.
import { type Interval, NumberSet } from '../wire/number-set.ts'
import { maxPlaces, type Place } from './finding.ts'

interface Cpu {
  readonly accounted: NumberSet
  readonly received: NumberSet
}

/** Numbers of one kind: how many, and the first ranges. */
export interface Numbers {
  readonly count: number
  readonly places: readonly Place[]
}

/** 4 MB for a set. Each record of the largest ring may leave a gap until it is read: fewer than this. */
const maxIntervals = 1 << 18

export class SequenceNumbers {
  readonly #cpus = new Map<number, Cpu>()
  /** Missing numbers whose gaps a full set filled. */
  readonly #filledPlaces: Place[] = []
  #filled = 0

  /** @returns how many of the range no batch accounted for yet */
  account({ cpu, first, last }: Place): number {
    return this.#cpu(cpu).accounted.add(first, last)
  }

  /** The highest number of a CPU that a batch accounts for. */
  lastAccounted(cpu: number): number | undefined {
    return this.#cpu(cpu).accounted.last
  }

  /** @returns false for a duplicate */
  receive(cpu: number, seq: number): boolean {
    return this.#cpu(cpu).received.add(seq) === 1
  }

  /** Numbers that a batch accounts for, without an event or summary. @param only one CPU; all without it */
  missing(only?: number): Numbers {
    let count = only === undefined ? this.#filled : 0
    const places = only === undefined ? [...this.#filledPlaces] : []
    for (const [cpu, { accounted, received }] of this.#cpus) {
      if (only !== undefined && cpu !== only) continue
      for (const { first, last } of accounted.without(received)) {
        count += last - first + 1
        if (places.length < maxPlaces) places.push({ cpu, first, last })
      }
    }
    return { count, places }
  }

  /**
   * Numbers of events and summaries that no batch accounts for.
   * @param isPartial leaves out those before the first range of each CPU: their batch was not read
   */
  unaccounted(isPartial: boolean): Numbers {
    let count = 0
    const places: Place[] = []
    for (const [cpu, { accounted, received }] of this.#cpus) {
      const begin = isPartial ? accounted.intervals().next().value?.first : undefined
      for (const { first, last } of received.without(accounted)) {
        if (begin !== undefined && last < begin) continue
        count += last - first + 1
        if (places.length < maxPlaces) places.push({ cpu, first, last })
      }
    }
    return { count, places }
  }

  #cpu(cpu: number): Cpu {
    let known = this.#cpus.get(cpu)
    if (known === undefined) {
      const accounted = new NumberSet({ maxIntervals, whenFull: 'fill' })
      const onFill = (gap: Interval): void => this.#fill(cpu, accounted, gap)
      known = { accounted, received: new NumberSet({ maxIntervals, whenFull: 'fill', onFill }) }
      this.#cpus.set(cpu, known)
    }
    return known
  }

  #fill(cpu: number, accounted: NumberSet, { first, last }: Interval): void {
    // The part that no batch accounts for is already reported as a hole.
    this.#filled += last - first + 1 - accounted.add(first, last)
    if (this.#filledPlaces.length < maxPlaces) this.#filledPlaces.push({ cpu, first, last })
  }
}
