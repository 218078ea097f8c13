// Latency buckets of many rows, summed in place: a chart has up to a million buckets, of which a few hundred remain for a
// sketch. Pure.
import { Sketch } from '../../../wire/sketch.ts'
import type { Bucket } from '../../../wire/types.ts'

const bucketsPerOctave = 32
/** Durations are below 2^53 ns. */
const octaves = 53
/** Above the highest bucket index; counts up to 2^42 fit beside an index. */
const indexes = 2048

/** A bucket as one number, 8 bytes instead of the 40 of an object: the panel holds many. */
export const packBucket = ({ index, count }: Bucket): number => count * indexes + index
const indexOf = (packed: number): number => packed & (indexes - 1)
const countOf = (packed: number): number => Math.floor(packed / indexes)

export class Distribution {
  readonly #counts = new Float64Array(octaves * bucketsPerOctave)

  /** @returns a shared object: read it before the next call */
  static of(rows: readonly { readonly latency: readonly number[] }[]): Distribution {
    shared.#counts.fill(0)
    for (const { latency } of rows) shared.#add(latency)
    return shared
  }

  quantiles(qs: readonly number[]): number[] {
    const sketch = new Sketch()
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index] as number
      if (count > 0) sketch.recordAt(index, count)
    }
    return sketch.quantiles(qs)
  }

  /** Counts by octave, without zeros. */
  heat(): [octave: number, count: number][] {
    const heat: [number, number][] = []
    for (let octave = 0; octave < octaves; octave++) {
      const first = octave * bucketsPerOctave
      let count = 0
      for (let index = first; index < first + bucketsPerOctave; index++) count += this.#counts[index] as number
      if (count > 0) heat.push([octave, count])
    }
    return heat
  }

  #add(latency: readonly number[]): void {
    const counts = this.#counts
    for (let i = 0; i < latency.length; i++) {
      const packed = latency[i] as number
      const index = indexOf(packed)
      counts[index] = (counts[index] as number) + countOf(packed)
    }
  }
}

const shared = new Distribution()
