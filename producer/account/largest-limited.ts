// The processes with the most limited calls since the last ledger: a bounded list, the largest first.
import type { LimitedProcess } from '../../wire/types.ts'
import type { LimitedCalls } from '../source/source.ts'

const maxRows = 16

export class LargestLimited {
  readonly #rows = new Map<string, LimitedProcess>()

  /** @param rows the largest of a second's summaries, at most some dozens */
  add(rows: readonly LimitedCalls[]): void {
    for (const { pid, startUs, comm, call, count } of rows) {
      const key = `${pid} ${startUs} ${call}`
      const known = this.#rows.get(key)
      this.#rows.set(key, { pid, start_us: startUs, comm, call, count: count + (known?.count ?? 0) })
    }
    for (const row of this.#sorted().slice(maxRows)) this.#rows.delete(`${row.pid} ${row.start_us} ${row.call}`)
  }

  rows(): LimitedProcess[] {
    return this.#sorted()
  }

  clear(): void {
    this.#rows.clear()
  }

  #sorted(): LimitedProcess[] {
    return [...this.#rows.values()].sort((a, b) => b.count - a.count)
  }
}
