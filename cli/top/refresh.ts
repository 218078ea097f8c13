// When the table is shown again: each second, and on a terminal also soon after something came, once for all that
// comes together.
import { setTimeout as delay } from 'node:timers/promises'

const everyMs = 1000
/** What is published at once comes by several partitions within it: the table then shows all of it or nothing. */
const settleMs = 150
/** Between two frames that news asked for, so that hundreds of hosts do not make it busy. */
const restMs = 400

export class Refresh {
  readonly #heedsNews: boolean
  readonly #signal: AbortSignal
  #shownMs = 0
  #wake: AbortController = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(heedsNews: boolean, signal: AbortSignal) {
    this.#heedsNews = heedsNews
    this.#signal = signal
  }

  /** Calls `show` until the signal, never twice at a time. @throws what it throws */
  async run(show: () => Promise<void>): Promise<void> {
    while (!this.#signal.aborted) {
      this.#wake = new AbortController()
      await show()
      this.#shownMs = Date.now()
      const woken = AbortSignal.any([this.#wake.signal, this.#signal])
      await delay(everyMs, undefined, { signal: woken }).catch(() => {})
    }
    clearTimeout(this.#timer)
  }

  now(): void {
    this.#wake.abort()
  }

  soon(): void {
    if (!this.#heedsNews || this.#timer !== undefined) return
    const afterMs = Math.max(settleMs, this.#shownMs + restMs - Date.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.now()
    }, afterMs)
  }
}
