// Lines to stdout. Waits for a slow reader. A closed pipe (`| head`) is the end of the work, not an error.

export class Output {
  readonly #stream: NodeJS.WriteStream
  readonly #closed = new AbortController()

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream
    stream.on('error', () => this.#closed.abort())
  }

  /** Fires when the reader has closed the pipe. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true
  }

  /** Columns of the terminal; Infinity where there is none. */
  get width(): number {
    return this.isTerminal ? this.#stream.columns : Number.POSITIVE_INFINITY
  }

  get height(): number {
    return this.isTerminal ? this.#stream.rows : Number.POSITIVE_INFINITY
  }

  /** Resolves when the line is written; at once after the pipe was closed. */
  async line(text: string): Promise<void> {
    await this.write(`${text}\n`)
  }

  async write(text: string): Promise<void> {
    if (this.#closed.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#stream.write(text, () => resolve())
    })
  }
}
