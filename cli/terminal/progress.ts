// Progress on stderr: lines that stay, and a status line. A terminal refreshes the status in place; elsewhere it is
// written every ten seconds at most.

import { formatCount } from '../../runtime/format-number.ts'
import { cutText, printable } from '../../runtime/printable.ts'

export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const plainStatusEveryMs = 10_000
/** Of a search, which gets there hundreds of times a second. */
const readStatusEveryMs = 500

export class Progress {
  readonly #stream: ProgressStream
  readonly #now: () => number
  #shown = ''
  #plainAtMs = Number.NEGATIVE_INFINITY

  constructor(stream: ProgressStream = process.stderr, now: () => number = () => performance.now()) {
    this.#stream = stream
    this.#now = now
  }

  get width(): number {
    return this.#stream.isTTY === true ? (this.#stream.columns ?? 80) : Number.POSITIVE_INFINITY
  }

  /** A line that stays. */
  line(text: string): void {
    this.#stream.write(`${this.#erase()}${printable(text)}\n${this.#shown}`)
  }

  /** Replaces the previous status. */
  status(text: string): void {
    if (this.#stream.isTTY === true) {
      const erase = this.#erase()
      // A wrapped line could not be erased.
      this.#shown = cutText(printable(text), this.width - 1)
      this.#stream.write(`${erase}${this.#shown}`)
    } else if (this.#now() - this.#plainAtMs >= plainStatusEveryMs) {
      this.#plainAtMs = this.#now()
      this.#stream.write(`${printable(text)}\n`)
    }
  }

  /** Erases the status. */
  clear(): void {
    this.#stream.write(this.#erase())
    this.#shown = ''
  }

  #erase(): string {
    return this.#shown === '' ? '' : '\r\u001b[2K'
  }
}

/**
 * Shows how far the read of a topic is, for KafkaClient.read(). A short read shows nothing.
 * @param what completes "12% (1,200 of 10,000 messages) …"
 */
export const readProgress = (
  progress: Progress,
  what: string,
  now: () => number = () => performance.now()
): ((read: number, total: number) => void) => {
  let shownAtMs = now()
  return (read, total) => {
    if (now() - shownAtMs < readStatusEveryMs) return
    shownAtMs = now()
    const percent = Math.floor((100 * read) / total)
    progress.status(`${percent}% (${formatCount(read)} of ${formatCount(total)} messages) ${what}`)
  }
}
