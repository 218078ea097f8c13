// A child's stderr: every line goes to a file of bounded size, warnings and errors also to the terminal of `up`.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Two files of this size for each service at most: the current one and the previous one. */
const maxBytes = 10 << 20
const warnLevel = 40

/**
 * The message of a pino warning or error, or a line that is not pino's; undefined for other lines. Lines of kafkajs about
 * single tries are not shown: the services log the outcome.
 */
export const noteworthy = (line: string): string | undefined => {
  if (line.trim() === '') return undefined
  if (!line.startsWith('{')) return line
  try {
    const entry = JSON.parse(line) as { level?: unknown; msg?: unknown; component?: unknown }
    if (typeof entry.level !== 'number') return line
    return entry.level >= warnLevel && entry.component !== 'kafkajs' ? String(entry.msg ?? line) : undefined
  } catch {
    return line
  }
}

export class ChildLog {
  readonly path: string
  readonly #onNote: (text: string) => void
  readonly #decoder = new TextDecoder()
  #fd: number
  #size: number
  #rest = ''

  /** @param onNote called with the message of each warning and error */
  constructor(dir: string, service: string, onNote: (text: string) => void) {
    mkdirSync(dir, { recursive: true })
    this.path = join(dir, `${service}.log`)
    this.#onNote = onNote
    this.#fd = openSync(this.path, 'a', 0o600)
    this.#size = fstatSync(this.#fd).size
  }

  write(chunk: Buffer): void {
    if (this.#size + chunk.length > maxBytes) this.#rotate()
    this.#size += writeSync(this.#fd, chunk)
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const note = noteworthy(line)
      if (note !== undefined) this.#onNote(note)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #rotate(): void {
    closeSync(this.#fd)
    renameSync(this.path, `${this.path}.1`)
    this.#fd = openSync(this.path, 'a', 0o600)
    this.#size = 0
  }
}
