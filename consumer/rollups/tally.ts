// Sums and distribution of calls: events and summaries in. Tallies merge in any order with the same result.
import type { SummaryColumns } from '../../wire/columns.ts'
import { highestOf } from '../../wire/log-linear.ts'
import { Sketch } from '../../wire/sketch.ts'
import type { Bucket } from '../../wire/types.ts'

export class Tally {
  count = 0
  errors = 0
  bytes = 0
  totalNs = 0
  maxNs = 0
  readonly durations = new Sketch()
  /** Failed calls by errno; undefined while there are none, as in most rows. */
  #errnos: Map<number, number> | undefined

  add(durationNs: number, ret: number, movesBytes: boolean): void {
    this.count++
    if (ret < 0) {
      this.errors++
      this.#addErrno(-ret, 1)
    } else if (movesBytes) {
      this.bytes += ret
    }
    this.totalNs += durationNs
    if (durationNs > this.maxNs) this.maxNs = durationNs
    this.durations.record(durationNs)
  }

  /** Calls counted in the kernel: the longest is known only by its bucket, so that maxNs is the bucket's highest value. */
  addSummary({ count, errors, bytes, totalNs, latency, errnos }: SummaryColumns, row: number): void {
    this.count += count[row] as number
    this.errors += errors[row] as number
    this.bytes += bytes[row] as number
    this.totalNs += totalNs[row] as number
    for (let at = latency.begin[row] as number; at < (latency.begin[row + 1] as number); at++) {
      const index = latency.index[at] as number
      this.durations.recordAt(index, latency.count[at] as number)
      this.maxNs = Math.max(this.maxNs, highestOf(index))
    }
    for (let at = errnos.begin[row] as number; at < (errnos.begin[row + 1] as number); at++) {
      this.#addErrno(errnos.index[at] as number, errnos.count[at] as number)
    }
  }

  merge(other: Tally): void {
    this.count += other.count
    this.errors += other.errors
    this.bytes += other.bytes
    this.totalNs += other.totalNs
    this.maxNs = Math.max(this.maxNs, other.maxNs)
    this.durations.merge(other.durations)
    if (other.#errnos !== undefined) for (const [errno, count] of other.#errnos) this.#addErrno(errno, count)
  }

  /** Failed calls by errno, ascending. */
  errnos(): Bucket[] {
    if (this.#errnos === undefined) return []
    return Array.from(this.#errnos, ([index, count]) => ({ index, count })).sort((a, b) => a.index - b.index)
  }

  #addErrno(errno: number, count: number): void {
    this.#errnos ??= new Map()
    this.#errnos.set(errno, (this.#errnos.get(errno) ?? 0) + count)
  }
}
