// A child's stderr: every line goes, printable, to a file of bounded size; warnings and errors also to the terminal of
// `up`. A file that cannot be written loses lines, and stops nothing.
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../../runtime/errors.ts'
import { formatCount } from '../../runtime/format-number.ts'
import { printable } from '../../runtime/printable.ts'

/** Two files of this size for each service at most: the current one and the previous one. */
const maxBytes = 10 << 20
/** A line beyond it is split: a child may write without line breaks. */
const maxLineLength = 64 << 10
const warnLevel = 40
/** Pause after a failed write. */
const retryMs = 5000

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
  /** Undefined after a failed write: the next one opens the file again. */
  #fd: number | undefined
  #size = 0
  #rest = ''
  /** Since the last successful write. */
  #lostLines = 0
  #failedAtMs = Number.NEGATIVE_INFINITY

  /** @param onNote called with the message of each warning and error, and when the file cannot be written */
  constructor(dir: string, service: string, onNote: (text: string) => void) {
    this.path = join(dir, `${service}.log`)
    this.#onNote = onNote
  }

  write(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    for (; this.#rest.length > maxLineLength; this.#rest = this.#rest.slice(maxLineLength)) {
      lines.push(this.#rest.slice(0, maxLineLength))
    }
    this.#append(lines)
    for (const line of lines) {
      const note = noteworthy(line)
      if (note !== undefined) this.#onNote(note)
    }
  }

  close(): void {
    if (this.#rest !== '') this.#append([this.#rest])
    this.#rest = ''
    this.#closeFile()
  }

  #append(lines: readonly string[]): void {
    if (lines.length === 0) return
    if (performance.now() - this.#failedAtMs < retryMs) {
      this.#lostLines += lines.length
      return
    }
    const text = lines.map((line) => `${printable(line, maxLineLength)}\n`).join('')
    try {
      this.#fd ??= this.#open()
      if (this.#size + Buffer.byteLength(text) > maxBytes) this.#rotate()
      // Not a part of the text, which a full disk may still take.
      writeFileSync(this.#fd, text)
      this.#size += Buffer.byteLength(text)
    } catch (error) {
      this.#failed(lines.length, error)
      return
    }
    if (this.#lostLines === 0) return
    this.#onNote(`writing to ${this.path} again; it lacks ${formatCount(this.#lostLines)} lines`)
    this.#lostLines = 0
  }

  #failed(lines: number, error: unknown): void {
    if (this.#lostLines === 0) {
      this.#onNote(`cannot write to ${this.path}, continuing without it until that works: ${messageOf(error)}`)
    }
    this.#lostLines += lines
    this.#failedAtMs = performance.now()
    this.#closeFile()
  }

  #open(): number {
    mkdirSync(dirname(this.path), { recursive: true })
    const fd = openSync(this.path, 'a', 0o600)
    this.#size = fstatSync(fd).size
    return fd
  }

  #rotate(): void {
    this.#closeFile()
    renameSync(this.path, `${this.path}.1`)
    this.#fd = this.#open()
  }

  #closeFile(): void {
    const fd = this.#fd
    this.#fd = undefined
    try {
      // Removes the part of a line that a full disk took.
      if (fd !== undefined && this.#lostLines > 0) ftruncateSync(fd, this.#size)
      if (fd !== undefined) closeSync(fd)
    } catch {
      // A failed write has been reported.
    }
  }
}
