// A terminal that `top` has for itself: another screen without a cursor, frames that replace each other without a
// flicker, keys as they are pressed. Whatever ends the process, the terminal is as before.
import { writeSync } from 'node:fs'
import type { Output } from '../terminal/output.ts'

const enter = '\u001b[?1049h\u001b[?25l\u001b[2J'
const leave = '\u001b[?25h\u001b[?1049l'
/** Terminals that know it show what is between all at once; others ignore it. */
const begin = '\u001b[?2026h'
const end = '\u001b[?2026l'

/** Arrows and others that are several characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is how they begin
const longKeys = /\u001b[[O]?[0-9;]*./g
/** Ctrl-C and Ctrl-D, which are no signals while keys come as they are pressed. */
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
   * @param onKey what was pressed, a character; of Ctrl-C and Ctrl-D "q"
   * @param onResize the terminal has another size
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

  /** Home, each line cleared to its end, then everything below. */
  async frame(lines: readonly string[]): Promise<void> {
    if (this.#isOpen) await this.#output.write(`${begin}\u001b[H${lines.join('\u001b[K\r\n')}\u001b[K\u001b[J${end}`)
  }

  /** At once, as the process may be about to end; again does nothing. */
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
