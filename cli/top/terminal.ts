// The terminal in full-screen mode: the alternate screen without a cursor, frames without flicker, single keys. The
// terminal is restored however the process ends.
import { writeSync } from 'node:fs'
import type { Output } from '../terminal/output.ts'

const enter = '\u001b[?1049h\u001b[?25l\u001b[2J'
const leave = '\u001b[?25h\u001b[?1049l'
/** Synchronized update: the terminal shows all output in between at once, or ignores the sequences. */
const begin = '\u001b[?2026h'
const end = '\u001b[?2026l'

/** Keys of several characters, such as arrows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with ESC
const longKeys = /\u001b[[O]?[0-9;]*./g
/** Ctrl-C and Ctrl-D, which raw mode passes as characters. */
const endKeys: ReadonlySet<string> = new Set(['\u0003', '\u0004'])

export class Terminal {
  readonly #output: Output
  readonly #input: NodeJS.ReadStream
  #isOpen = false

  constructor(output: Output, input: NodeJS.ReadStream = process.stdin) {
    this.#output = output
    this.#input = input
  }

  /**
   * @param onKey called with each character; Ctrl-C and Ctrl-D are "q"
   */
  open(onKey: (key: string) => void, onResize: () => void): void {
    this.#isOpen = true
    process.on('exit', this.close)
    process.stdout.on('resize', onResize)
    writeSync(process.stdout.fd, enter)
    if (this.#input.isTTY !== true) return
    this.#input.setRawMode(true)
    this.#input.setEncoding('utf8').on('data', (text: string) => {
      for (const key of text.replace(longKeys, '')) onKey(endKeys.has(key) ? 'q' : key)
    })
  }

  /** Writes each line over the previous frame, and clears the rest. */
  async frame(lines: readonly string[]): Promise<void> {
    if (this.#isOpen) await this.#output.write(`${begin}\u001b[H${lines.join('\u001b[K\r\n')}\u001b[K\u001b[J${end}`)
  }

  /** Synchronous, since the process may be about to end. A second call does nothing. */
  readonly close = (): void => {
    if (!this.#isOpen) return
    this.#isOpen = false
    process.off('exit', this.close)
    if (this.#input.isTTY === true) {
      this.#input.setRawMode(false)
      this.#input.pause()
    }
    try {
      writeSync(process.stdout.fd, leave)
    } catch {
      // The terminal is gone.
    }
  }
}
