// Finds the Go processes and resolves their stacks. A process is examined when a program starts, in parallel with the
// reading of the rings. If the program is Go's, it is marked, so that the kernel records its stacks. A mark is for one
// exec: a process that executed another program before it was marked records none.
import { readFile } from 'node:fs/promises'
import { LRUCache } from 'lru-cache'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Stack } from '../../wire/types.ts'
import { ticksPerSecond } from '../proc.ts'
import { chooseFrame } from './choose-frame.ts'
import type { GoProgram } from './go-program.ts'
import { ProgramFiles } from './program-files.ts'
import { framesOf } from './stack-frames.ts'
import type { Program, Symbolizer } from './symbolizer.ts'

/** Marks programs in the kernel; the live source does it. */
export interface GoMarks {
  /** @returns false when the table of marks is full */
  markGo(program: Program): boolean
  unmarkGo(program: Program): void
}

export interface GoProcessesOptions {
  readonly marks: GoMarks
  readonly log: Log
  /** Time per second for new stacks: a process that makes ever new ones must not delay the edge. */
  readonly resolveMs?: number
  /** Mount point of procfs. */
  readonly root?: string
}

/** The size of the table of marks, RINGSIDE_GO_MAX. */
const maxPrograms = 4096
/** Processes waiting to be examined; beyond it, calls of new processes have no Go function. */
const maxWaiting = 4096
/** Some hundred bytes each; a program makes system calls from some hundred locations. */
const maxLocations = 16_384

interface Loaded {
  readonly owner: Program
  readonly program: GoProgram
  /** Difference between addresses in the process and as linked. */
  readonly bias: number
}

const keyOf = ({ pid, startNs, execId }: Program): string => `${pid} ${startNs} ${execId}`

/** Fields 22 and 26 of /proc/PID/stat; the name before them may contain spaces and parentheses. */
const fieldsOf = (stat: string): { readonly startTicks: number; readonly startCode: number } => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { startTicks: Number(fields[19]), startCode: Number(fields[23]) }
}

const isEnded = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')

export class GoProcesses implements Symbolizer {
  readonly #marks: GoMarks
  readonly #log: Log
  readonly #resolveMs: number
  readonly #root: string
  readonly #waiting = new Map<number, Program>()
  readonly #loaded = new LRUCache<string, Loaded>({
    max: maxPrograms,
    dispose: ({ owner }) => this.#marks.unmarkGo(owner)
  })
  readonly #files = new ProgramFiles((program) => this.#release(program))
  readonly #locations = new LRUCache<string, Stack>({ max: maxLocations })
  #isExamining = false
  #second = 0
  #resolvedMs = 0
  #hasWarned = false

  constructor({ marks, log, resolveMs = 100, root = '/proc' }: GoProcessesOptions) {
    this.#marks = marks
    this.#log = log
    this.#resolveMs = resolveMs
    this.#root = root
  }

  programStarted(program: Program): void {
    if (this.#waiting.size >= maxWaiting || this.#loaded.has(keyOf(program))) return
    this.#waiting.set(program.pid, program)
    if (!this.#isExamining) void this.#examineAll()
  }

  resolve(owner: Program, addresses: readonly number[]): Stack | undefined {
    const loaded = this.#loaded.get(keyOf(owner))
    if (loaded === undefined) return undefined
    const startMs = performance.now()
    if (Math.floor(startMs / 1000) !== this.#second) {
      this.#second = Math.floor(startMs / 1000)
      this.#resolvedMs = 0
    }
    if (this.#resolvedMs > this.#resolveMs) return undefined
    const frame = chooseFrame(framesOf(loaded.program.table, addresses, loaded.bias))
    this.#resolvedMs += performance.now() - startMs
    return this.#locationOf(frame?.function ?? null, frame?.file ?? null, frame?.line ?? 0)
  }

  #locationOf(go_function: string | null, go_file: string | null, go_line: number): Stack {
    const name = JSON.stringify([go_function, go_file, go_line])
    const known = this.#locations.get(name)
    if (known !== undefined) return known
    const location = { go_function, go_file, go_line }
    this.#locations.set(name, location)
    return location
  }

  async #examineAll(): Promise<void> {
    this.#isExamining = true
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) {
      try {
        await this.#examine(next)
      } catch (error) {
        if (!isEnded(error)) this.#warnOnce(next.pid, error)
      }
    }
    this.#isExamining = false
  }

  #takeNext(): Program | undefined {
    const next = this.#waiting.values().next().value
    if (next !== undefined) this.#waiting.delete(next.pid)
    return next
  }

  async #examine(owner: Program): Promise<void> {
    const { pid, startNs } = owner
    const exe = `${this.#root}/${pid}/exe`
    const program = await this.#files.read(exe, await this.#files.nameOf(exe))
    if (program === undefined) return
    const { startTicks, startCode } = fieldsOf(await readFile(`${this.#root}/${pid}/stat`, 'latin1'))
    const isIt = Math.abs(startTicks - Number(startNs) / (1e9 / ticksPerSecond)) <= 1
    // A process that executed another program meanwhile is in the queue again.
    if (!isIt || this.#waiting.has(pid)) return
    const bias = program.lowestCode === undefined ? 0 : startCode - program.lowestCode
    const key = keyOf(owner)
    this.#loaded.set(key, { owner, program, bias })
    if (!this.#marks.markGo(owner)) this.#loaded.delete(key)
  }

  #release(released: GoProgram): void {
    for (const [key, { program }] of this.#loaded.entries()) if (program === released) this.#loaded.delete(key)
  }

  #warnOnce(pid: number, error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#log.warn(
      `cannot read the program of process ${pid}: ${messageOf(error)}; its calls, and those of processes like it, have no Go function; needs CAP_SYS_PTRACE, and an executable that every user can read`
    )
  }
}
