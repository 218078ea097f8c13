// Sums and distribution of calls: events and summaries in. Tallies merge in any order with the same result.
import type { SummaryColumns } from '../../wire/columns.ts'
import { errnoName } from '../../wire/errno.ts'
import { highestOf } from '../../wire/log-linear.ts'
import { Sketch } from '../../wire/sketch.ts'
import type { ErrnoCount } from '../../wire/types.ts'
import { errorVerdicts, maxErrno, type VerdictTable } from '../../wire/verdict.ts'

const failed = errorVerdicts.indexOf('failed')
const expected = errorVerdicts.indexOf('expected')

export class Tally {
  count = 0
  failed = 0
  expected = 0
  interrupted = 0
  bytes = 0
  totalNs = 0
  maxNs = 0
  readonly durations = new Sketch()
  /** Errors by errno; undefined while there are none, as in most rows. */
  #errnos: Map<number, number> | undefined

  /** @param verdicts of the call */
  add(durationNs: number, ret: number, movesBytes: boolean, verdicts: VerdictTable): void {
    this.count++
    if (ret < 0) this.addError(-ret, 1, verdicts)
    else if (movesBytes) this.bytes += ret
    this.totalNs += durationNs
    if (durationNs > this.maxNs) this.maxNs = durationNs
    this.durations.record(durationNs)
  }

  /** Calls counted in the kernel: the longest is known only by its bucket, so that maxNs is the bucket's highest value. */
  addSummary(summaries: SummaryColumns, row: number, verdicts: VerdictTable): void {
    const { count, bytes, totalNs, latency, errnos } = summaries
    this.count += count[row] as number
    this.bytes += bytes[row] as number
    this.totalNs += totalNs[row] as number
    for (let at = latency.begin[row] as number; at < (latency.begin[row + 1] as number); at++) {
      const index = latency.index[at] as number
      this.durations.recordAt(index, latency.count[at] as number)
      this.maxNs = Math.max(this.maxNs, highestOf(index))
    }
    for (let at = errnos.begin[row] as number; at < (errnos.begin[row + 1] as number); at++) {
      this.addError(errnos.index[at] as number, errnos.count[at] as number, verdicts)
    }
  }

  /** Adds errors without their calls, as the outcomes of connects whose calls have returned before. */
  addError(errno: number, count: number, verdicts: VerdictTable): void {
    // Not an error: an address, as mmap returns it.
    if (errno > maxErrno) return
    const verdict = verdicts[errno]
    if (verdict === failed) this.failed += count
    else if (verdict === expected) this.expected += count
    else this.interrupted += count
    this.#addErrno(errno, count)
  }

  merge(other: Tally): void {
    this.count += other.count
    this.failed += other.failed
    this.expected += other.expected
    this.interrupted += other.interrupted
    this.bytes += other.bytes
    this.totalNs += other.totalNs
    this.maxNs = Math.max(this.maxNs, other.maxNs)
    this.durations.merge(other.durations)
    if (other.#errnos !== undefined) for (const [errno, count] of other.#errnos) this.#addErrno(errno, count)
  }

  /** Errors by errno, in ascending order of its number. */
  errnos(): ErrnoCount[] {
    if (this.#errnos === undefined) return []
    const sorted = [...this.#errnos].sort(([a], [b]) => a - b)
    return sorted.map(([errno, count]) => ({ errno: errnoName(-errno) ?? String(errno), count }))
  }

  #addErrno(errno: number, count: number): void {
    this.#errnos ??= new Map()
    this.#errnos.set(errno, (this.#errnos.get(errno) ?? 0) + count)
  }
}
