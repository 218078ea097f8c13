// Sums of published rows, so that a row's next revision adds only its difference. They expire when their window can no
// longer be corrected.
import type { Rollup } from '../../wire/types.ts'
import { verdictOfErrnoName } from '../../wire/verdict.ts'

/** Sums of one row, or the difference of two revisions. */
export interface Sums {
  readonly calls: number
  readonly totalNs: number
  readonly bytes: number
  /** Results that are errors, by errorKey(). */
  readonly errors: ReadonlyMap<string, number>
  /** Calls by octave of their duration. */
  readonly octaves: Float64Array
}

/** Upper bounds of the octaves, 2^10 to 2^34 ns. No bucket of a sketch crosses one, so that counts are exact. */
export const octaveBoundsNs: readonly number[] = Array.from({ length: 25 }, (_, i) => 2 ** (10 + i))

/** The octave that holds a bucket of a sketch: 32 buckets an octave, the first bound at 2^10. */
export const octaveOf = (index: number): number => Math.min(Math.max(0, (index >> 5) - 9), octaveBoundsNs.length)

const octavesOf = ({ latency }: Rollup): Float64Array => {
  const octaves = new Float64Array(octaveBoundsNs.length + 1)
  for (const { index, count } of latency) {
    const octave = octaveOf(index)
    octaves[octave] = (octaves[octave] as number) + count
  }
  return octaves
}

/** Verdict and errno as one key: a series of several calls can have an errno with two verdicts. */
const errorKey = (call: string, errno: string): string => `${verdictOfErrnoName(call, errno)} ${errno}`

/** The errno and the verdict of an errorKey(). */
export const errorOf = (key: string): { errno: string; verdict: string } => {
  const [verdict = '', errno = ''] = key.split(' ')
  return { errno, verdict }
}

/** Shared: most rows have no errors. */
const noErrors: ReadonlyMap<string, number> = new Map()

const errorsOf = ({ syscall, errnos }: Rollup): ReadonlyMap<string, number> =>
  errnos.length === 0 ? noErrors : new Map(errnos.map(({ errno, count }) => [errorKey(syscall, errno), count]))

const sumsOf = (row: Rollup): Sums => ({
  calls: row.count,
  totalNs: row.total_ns,
  bytes: row.bytes,
  errors: errorsOf(row),
  octaves: octavesOf(row)
})

const minus = (a: Sums, b: Sums): Sums => ({
  calls: a.calls - b.calls,
  totalNs: a.totalNs - b.totalNs,
  bytes: a.bytes - b.bytes,
  errors: new Map([...a.errors].map(([key, count]) => [key, count - (b.errors.get(key) ?? 0)])),
  octaves: a.octaves.map((count, i) => count - (b.octaves[i] as number))
})

export class PublishedSums {
  readonly #keepUs: number
  /** Sums of rows by start of their window, then by key. */
  readonly #windows = new Map<number, Map<string, Sums>>()
  #newestUs = Number.NEGATIVE_INFINITY

  /** @param keepUs how long after its start a window can be corrected */
  constructor(keepUs: number) {
    this.#keepUs = keepUs
  }

  /**
   * The calls of a row that its previous revision did not have.
   * @param key identifies the row within its window
   * @returns undefined when another process published the previous revision: the difference is unknown
   */
  newIn(row: Rollup, key: string): Sums | undefined {
    this.#expireBefore(row.window_start)
    const window = this.#windows.get(row.window_start) ?? new Map<string, Sums>()
    this.#windows.set(row.window_start, window)
    const before = window.get(key)
    const sums = sumsOf(row)
    window.set(key, sums)
    // Also after a wall clock was stepped back: the same window begins anew, with revision 1.
    if (row.revision === 1) return sums
    return before === undefined ? undefined : minus(sums, before)
  }

  #expireBefore(startUs: number): void {
    if (startUs <= this.#newestUs) {
      if (startUs > this.#newestUs - this.#keepUs) return
      this.#windows.clear()
    }
    this.#newestUs = startUs
    for (const each of this.#windows.keys()) if (each <= startUs - this.#keepUs) this.#windows.delete(each)
  }
}
