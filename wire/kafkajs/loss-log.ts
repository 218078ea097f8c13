// What the log says about lost memberships: at first what happened, its effect and the remedy; while they go on, once a
// minute how many there were.
import type { Log } from '../../runtime/log.ts'

const everyMs = 60_000

export class LossLog {
  readonly #group: string
  readonly #log: Log
  readonly #now: () => number
  #saidAtMs = Number.NEGATIVE_INFINITY
  /** Losses since then. */
  #unsaid = 0

  constructor(group: string, log: Log, now: () => number = () => performance.now()) {
    this.#group = group
    this.#log = log
    this.#now = now
  }

  /** @param retryMs of the backoff */
  lost(why: string, retryMs: number): void {
    const fields = { group: this.#group, retryMs }
    if (this.#now() - this.#saidAtMs < everyMs) {
      this.#unsaid += 1
      this.#log.debug(fields, `lost the membership again: ${why}`)
      return
    }
    const isFirst = this.#saidAtMs === Number.NEGATIVE_INFINITY || this.#unsaid === 0
    const times = this.#unsaid + 1
    this.#saidAtMs = this.#now()
    this.#unsaid = 0
    const what = `consumer of group ${this.#group} lost its membership`
    if (!isFirst) {
      this.#log.warn({ ...fields, times }, `${what} ${times} times in the last minute or longer, rejoining: ${why}`)
      return
    }
    const effect =
      'until it has joined, its partitions wait or go to other instances, and nothing is lost or counted twice'
    const remedy = 'if this goes on, check the brokers and the load of this machine'
    this.#log.warn(fields, `${what}, rejoining in ${retryMs} ms: ${why}; ${effect}; ${remedy}`)
  }
}
