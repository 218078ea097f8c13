// Finds the Go processes and resolves their stacks. A process is examined when a program starts, in parallel with the
// reading of the rings. If the program is Go's, the process is marked, so that the kernel records its stacks, until it
// executes another.
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
import type { Symbolizer } from './symbolizer.ts'

/** Marks processes in the kernel; the live source does it. */
export interface GoMarks {
  /** @returns false when the table of marks is full */
  markGo(pid: number, startNs: bigint): boolean
  unmarkGo(pid: number): void
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
const maxProcesses = 4096
/** Processes waiting to be examined; beyond it, calls of new processes have no Go function. */
const maxWaiting = 4096
/** Some hundred bytes each; a program makes system calls from some hundred locations. */
const maxLocations = 16_384

interface Process {
  readonly startNs: bigint
  readonly program: GoProgram
  /** Difference between addresses in the process and as linked. */
  readonly bias: number
  /** When its program was identified, CLOCK_MONOTONIC. */
  readonly identifiedNs: bigint
  /** It may have executed another program since. */
  isDoubtful: boolean
  /** It ended before its program was identified again: in doubt, its program is unknown. */
  hasEnded: boolean
}

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
  readonly #waiting = new Map<number, bigint>()
  readonly #processes = new Map<number, Process>()
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

  // The entry stays until the process is examined again: it may be of the new program already, and without a mark calls
  // have no stack.
  programStarted(pid: number, startNs: bigint, timeNs: bigint): void {
    const known = this.#processes.get(pid)
    if (known !== undefined && known.identifiedNs < timeNs) known.isDoubtful = true
    if (known?.hasEnded && known.isDoubtful) this.#processes.delete(pid)
    if (this.#waiting.size >= maxWaiting) return
    this.#waiting.set(pid, startNs)
    if (!this.#isExamining) void this.#examineAll()
  }

  resolve(pid: number, startNs: bigint, addresses: readonly number[]): Stack | undefined {
    const process = this.#processes.get(pid)
    if (process === undefined || process.startNs !== startNs) return undefined
    const startMs = performance.now()
    if (Math.floor(startMs / 1000) !== this.#second) {
      this.#second = Math.floor(startMs / 1000)
      this.#resolvedMs = 0
    }
    if (this.#resolvedMs > this.#resolveMs) return undefined
    const frame = chooseFrame(framesOf(process.program.table, addresses, process.bias))
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
      const [pid, startNs] = next
      try {
        await this.#examine(pid, startNs)
      } catch (error) {
        if (!isEnded(error)) this.#warnOnce(pid, error)
      }
    }
    this.#isExamining = false
  }

  #takeNext(): [number, bigint] | undefined {
    const next = this.#waiting.entries().next().value
    if (next !== undefined) this.#waiting.delete(next[0])
    return next
  }

  async #examine(pid: number, startNs: bigint): Promise<void> {
    const exe = `${this.#root}/${pid}/exe`
    const identifiedNs = process.hrtime.bigint()
    const name = await this.#files.nameOf(exe)
    const program = await this.#files.read(exe, name)
    if (program === undefined) {
      this.#processes.delete(pid)
      return
    }
    const { startTicks, startCode } = fieldsOf(await readFile(`${this.#root}/${pid}/stat`, 'latin1'))
    const isIt = Math.abs(startTicks - Number(startNs) / (1e9 / ticksPerSecond)) <= 1
    // A process that executed another program meanwhile is in the queue again.
    if (!isIt || this.#waiting.has(pid)) return
    const bias = program.lowestCode === undefined ? 0 : startCode - program.lowestCode
    const examined: Process = { startNs, program, bias, identifiedNs, isDoubtful: false, hasEnded: false }
    if (this.#processes.size >= maxProcesses) this.#unmark(this.#processes.keys().next().value as number)
    this.#processes.set(pid, examined)
    if (!this.#marks.markGo(pid, startNs)) this.#unmark(pid)
    await this.#identifyAgain(pid, examined, exe, name)
  }

  /** If another program started before the mark was set, the kernel did not remove the mark. */
  async #identifyAgain(pid: number, examined: Process, exe: string, name: string): Promise<void> {
    let isSame = false
    try {
      isSame = (await this.#files.nameOf(exe)) === name
    } catch (error) {
      // The records of a process that lived for milliseconds are still to be resolved.
      examined.hasEnded = isEnded(error)
      isSame = examined.hasEnded && !examined.isDoubtful
    }
    const known = this.#processes.get(pid)
    if (!isSame && (known === undefined || known === examined)) this.#unmark(pid)
  }

  #unmark(pid: number): void {
    this.#processes.delete(pid)
    this.#marks.unmarkGo(pid)
  }

  #release(program: GoProgram): void {
    for (const [pid, process] of this.#processes) if (process.program === program) this.#unmark(pid)
  }

  #warnOnce(pid: number, error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#log.warn(
      `cannot read the program of process ${pid}: ${messageOf(error)}; its calls, and those of processes like it, have no Go function; needs CAP_SYS_PTRACE, and an executable that every user can read`
    )
  }
}
