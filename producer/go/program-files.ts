// Executables to the Go programs in them, each read once: by device, inode, size and time of writing, whatever path it
// has in whichever mount namespace. Holds tables up to a bound, those used least recently go first.
import { open, stat } from 'node:fs/promises'
import { type GoProgram, readGoProgram } from './go-program.ts'

/** Executables that are remembered, most of them as being of no interest: some hundred bytes each. */
const maxFiles = 8192
/** Of all tables together. That of a program of 60,000 functions has 14 MB; a typical service's 2. */
const maxTableBytes = 64 << 20

const tableBytes = (program: GoProgram | undefined): number => program?.table.bytes ?? 0

export class ProgramFiles {
  /** The least recently used first; undefined: no Go program. */
  readonly #files = new Map<string, GoProgram | undefined>()
  readonly #onEvicted: (program: GoProgram) => void
  readonly #maxTableBytes: number
  #bytes = 0

  /** @param onEvicted told of a program that had to make room: who holds it is to let it go */
  constructor(onEvicted: (program: GoProgram) => void, limitBytes = maxTableBytes) {
    this.#onEvicted = onEvicted
    this.#maxTableBytes = limitBytes
  }

  /**
   * What tells a file from others, and from itself when it is written anew.
   * @param path may be a link, as /proc/PID/exe is
   */
  async nameOf(path: string): Promise<string> {
    const { dev, ino, size, mtimeMs } = await stat(path)
    return `${dev}:${ino}:${size}:${mtimeMs}`
  }

  /**
   * The Go program at a path.
   * @param name as nameOf() just gave it
   * @returns undefined when it is no Go program
   * @throws Error of Node when it cannot be read
   */
  async read(path: string, name: string): Promise<GoProgram | undefined> {
    const known = this.#files.get(name)
    if (known === undefined && !this.#files.has(name)) return this.#readAnew(path, name)
    this.#files.delete(name)
    this.#files.set(name, known)
    return known
  }

  async #readAnew(path: string, name: string): Promise<GoProgram | undefined> {
    const file = await open(path)
    try {
      const program = await readGoProgram(file)
      // Else the path leads elsewhere by now, and this is another file's.
      if ((await this.nameOf(path)) !== name) return undefined
      this.#forget(name)
      this.#files.set(name, program)
      this.#bytes += tableBytes(program)
      this.#makeRoom(name)
      return program
    } finally {
      await file.close()
    }
  }

  #makeRoom(kept: string): void {
    for (const [name, program] of this.#files) {
      const isTooMuch = this.#files.size > maxFiles || (this.#bytes > this.#maxTableBytes && program !== undefined)
      if (isTooMuch && name !== kept) this.#forget(name)
      if (this.#files.size <= maxFiles && this.#bytes <= this.#maxTableBytes) return
    }
  }

  #forget(name: string): void {
    const program = this.#files.get(name)
    this.#files.delete(name)
    if (program === undefined) return
    this.#bytes -= tableBytes(program)
    this.#onEvicted(program)
  }
}
