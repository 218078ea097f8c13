// Decides when `top` shows a frame: each second, and on a terminal also soon after new messages.
import { setTimeout as delay } from 'node:timers/promises'

const everyMs = 1000
/** Messages of one transaction arrive from several partitions within this time: a frame shows all of them or none. */
const settleMs = 150
/** Least time between two frames, which bounds the cost of hundreds of hosts. */
const minGapMs = 400

export class Refresh {
  readonly #isLive: boolean
  readonly #signal: AbortSignal
  #shownMs = 0
  #wake: AbortController = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(isLive: boolean, signal: AbortSignal) {
    this.#isLive = isLive
    this.#signal = signal
  }

  /** Calls `show` again and again until the signal, one call at a time. @throws errors of `show` */
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

  /** Shows a frame at once. */
  now(): void {
    this.#wake.abort()
  }

  /** Shows a frame within half a second. */
  soon(): void {
    if (!this.#isLive || this.#timer !== undefined) return
    const afterMs = Math.max(settleMs, this.#shownMs + minGapMs - Date.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.now()
    }, afterMs)
  }
}
