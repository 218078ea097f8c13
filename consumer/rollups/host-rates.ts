// The exponentially weighted rates of one host's rows. A row's rate includes a call once, whatever the revision.
import type { RollupKey } from '../../wire/types.ts'
import { Rates } from './rates.ts'
import type { Row } from './row.ts'
import type { Window } from './window.ts'

export class HostRates {
  readonly #byKey: Readonly<Record<RollupKey, Rates>>

  /**
   * @param windowUs length of the shortest windows
   * @param maxKeys for each kind of key
   */
  constructor(windowUs: number, maxKeys: number) {
    const create = () => new Rates(windowUs, maxKeys)
    this.#byKey = { process: create(), workload: create(), go_function: create() }
  }

  get workload(): Rates {
    return this.#byKey.workload
  }

  /** Sets the rate of a row of the shortest windows before its publication. */
  update(row: Row, { endUs, isClosed }: Window): void {
    const rates = this.#byKey[row.by]
    const calls = row.count - row.ratedCalls
    const gain = rates.gainOf(calls, endUs, endUs)
    if (!isClosed) {
      // Not added to the rates yet: the window before may still wait for its counted calls.
      row.rateEwma = rates.at(row.key, endUs) + gain
      return
    }
    const rate = rates.add(row.key, calls, endUs)
    row.rateEwma = row.ratedCalls === 0 ? rate : row.rateEwma + gain
    row.ratedCalls = row.count
  }

  expire(nowUs: number): void {
    for (const rates of Object.values(this.#byKey)) rates.expire(nowUs)
  }
}
