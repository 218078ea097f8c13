// Finds the Go program in an executable; reads each file once, by device, inode, size and modification time, whatever
// its path in whichever mount namespace. Keeps tables up to a bound and evicts those used least recently.
import { open, stat } from 'node:fs/promises'
import { LRUCache } from 'lru-cache'
import { type GoProgram, maxProgramBytes, readGoProgram } from './go-program.ts'

/** Most executables are no Go program: some hundred bytes each. */
const maxFiles = 8192
/** All tables together; the table of a typical service has 2 MB. The largest program still fits. */
const maxTableBytes = maxProgramBytes

export class ProgramFiles {
  readonly #programs: LRUCache<string, GoProgram>
  /** Files without a Go program. */
  readonly #others = new LRUCache<string, true>({ max: maxFiles })

  /** @param onEvicted called with an evicted program, to release it everywhere */
  constructor(onEvicted: (program: GoProgram) => void, maxSize = maxTableBytes) {
    this.#programs = new LRUCache({
      max: maxFiles,
      maxSize,
      sizeCalculation: ({ table }) => table.bytes,
      dispose: (program) => onEvicted(program)
    })
  }

  /**
   * Identifies a file's content.
   * @param path may be a link, as /proc/PID/exe is
   */
  async nameOf(path: string): Promise<string> {
    const { dev, ino, size, mtimeMs } = await stat(path)
    return `${dev}:${ino}:${size}:${mtimeMs}`
  }

  /**
   * Returns the Go program at a path.
   * @param name what nameOf() just returned for the path
   * @returns undefined when it is no Go program
   * @throws Error of Node when it cannot be read
   */
  async read(path: string, name: string): Promise<GoProgram | undefined> {
    return this.#programs.get(name) ?? (this.#others.get(name) ? undefined : this.#readFile(path, name))
  }

  async #readFile(path: string, name: string): Promise<GoProgram | undefined> {
    const file = await open(path)
    try {
      const program = await readGoProgram(file)
      // The path may lead to another file by now.
      if ((await this.nameOf(path)) !== name) return undefined
      if (program === undefined) this.#others.set(name, true)
      else this.#programs.set(name, program)
      return program
    } finally {
      await file.close()
    }
  }
}
