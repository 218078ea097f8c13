// What `up` tells people on stderr: lines that stay, and a status that is refreshed in place on a
// terminal, or written at a slower pace where there is none.

export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Without a terminal, a status line goes out this often at most. */
const plainStatusEveryMs = 10_000

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
    this.#stream.write(`${this.#erase()}${text}\n${this.#shown}`)
  }

  /** The line that the next status replaces. */
  status(text: string): void {
    if (this.#stream.isTTY === true) {
      const erase = this.#erase()
      // A line that wraps could not be erased again.
      this.#shown = text.slice(0, this.width - 1)
      this.#stream.write(`${erase}${this.#shown}`)
    } else if (this.#now() - this.#plainAtMs >= plainStatusEveryMs) {
      this.#plainAtMs = this.#now()
      this.#stream.write(`${text}\n`)
    }
  }

  /** Takes the status away. */
  clear(): void {
    this.#stream.write(this.#erase())
    this.#shown = ''
  }

  #erase(): string {
    return this.#shown === '' ? '' : '\r\u001b[2K'
  }
}
