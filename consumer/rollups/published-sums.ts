// What rows told of a window before, so that a row's next revision adds only the difference. Forgotten when the window
// can no longer be corrected.
import type { Rollup } from '../../wire/types.ts'

/** Sums of one row. */
export interface Sums {
  readonly calls: number
  readonly totalNs: number
  readonly bytes: number
  /** By errno. */
  readonly errnos: ReadonlyMap<number, number>
  /** Calls by octave of their duration. */
  readonly octaves: Float64Array
}

/** Bounds of the octaves that durations are told apart by, nanoseconds: no bucket of a sketch lies across one. */
export const boundsNs: readonly number[] = Array.from({ length: 25 }, (_, i) => 2 ** (10 + i))

/** The octave of a bucket of a sketch: of the first bound that it lies below, or one more. */
export const octaveOf = (index: number): number => Math.min(Math.max(0, (index >> 5) - 9), boundsNs.length)

const octavesOf = ({ latency }: Rollup): Float64Array => {
  const octaves = new Float64Array(boundsNs.length + 1)
  for (const { index, count } of latency) {
    const octave = octaveOf(index)
    octaves[octave] = (octaves[octave] as number) + count
  }
  return octaves
}

/** Shared: most rows have no errors. */
const noErrnos: ReadonlyMap<number, number> = new Map()

const sumsOf = (row: Rollup): Sums => ({
  calls: row.count,
  totalNs: row.total_ns,
  bytes: row.bytes,
  errnos: row.errnos.length === 0 ? noErrnos : new Map(row.errnos.map(({ index, count }) => [index, count])),
  octaves: octavesOf(row)
})

const minus = (a: Sums, b: Sums): Sums => ({
  calls: a.calls - b.calls,
  totalNs: a.totalNs - b.totalNs,
  bytes: a.bytes - b.bytes,
  errnos: new Map([...a.errnos].map(([errno, count]) => [errno, count - (b.errnos.get(errno) ?? 0)])),
  octaves: a.octaves.map((count, i) => count - (b.octaves[i] as number))
})

export class PublishedSums {
  readonly #keepUs: number
  /** Sums of rows by the window's start. */
  readonly #windows = new Map<number, Map<string, Sums>>()
  #newestUs = Number.NEGATIVE_INFINITY

  /** @param keepUs how long a window is corrected after its beginning */
  constructor(keepUs: number) {
    this.#keepUs = keepUs
  }

  /**
   * What is new in a row of one host.
   * @param key tells the row from others of its window
   * @returns undefined for a later revision of what this process never saw: somebody else told what it is a change of
   */
  newIn(row: Rollup, key: string): Sums | undefined {
    this.#keepFrom(row.window_start)
    const window = this.#windows.get(row.window_start) ?? new Map<string, Sums>()
    this.#windows.set(row.window_start, window)
    const before = window.get(key)
    const sums = sumsOf(row)
    window.set(key, sums)
    // A clock that was stepped back has windows begin anew.
    if (row.revision === 1) return sums
    return before === undefined ? undefined : minus(sums, before)
  }

  #keepFrom(startUs: number): void {
    if (startUs <= this.#newestUs) {
      if (startUs > this.#newestUs - this.#keepUs) return
      this.#windows.clear()
    }
    this.#newestUs = startUs
    for (const each of this.#windows.keys()) if (each <= startUs - this.#keepUs) this.#windows.delete(each)
  }
}
