// Printable lines to stdout. Waits for a slow reader. A closed pipe (`| head`) is the end of the work, not an error.
import { cannotWrite } from '../../runtime/errors.ts'
import { printableJson, printableLines } from '../../runtime/printable.ts'
import { remark } from './quiet-log.ts'

export class Output {
  readonly #stream: NodeJS.WriteStream
  readonly #closed = new AbortController()

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && !this.#closed.signal.aborted) this.#fail(error)
      this.#closed.abort()
    })
  }

  /** Fires when the reader has closed the pipe, or the output cannot be written. */
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

  /** One or more lines. Resolves when they are written; at once after the pipe was closed. */
  async line(text: string): Promise<void> {
    await this.write(`${printableLines(text, Number.POSITIVE_INFINITY)}\n`)
  }

  /** Values as JSON, one a line. */
  async json(...values: readonly unknown[]): Promise<void> {
    await this.write(values.map((value) => `${printableJson(value)}\n`).join(''))
  }

  #fail(cause: Error): void {
    const { message, exitCode } = cannotWrite('to stdout', cause, 'the output is incomplete')
    remark(message)
    process.exitCode = exitCode
  }

  /** The text as it is, with sequences for the terminal. */
  async write(text: string): Promise<void> {
    if (this.#closed.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#stream.write(text, () => resolve())
    })
  }
}
