// Which processes are Go's, and what their addresses mean. A process that begins is looked at off the hot path; one of
// a Go program is marked, so that the kernel tells its stacks, and is known until it begins another program.
import { readFile } from 'node:fs/promises'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Stack } from '../../wire/types.ts'
import { ticksPerSecond } from '../proc.ts'
import { chooseFrame } from './choose-frame.ts'
import type { GoProgram } from './go-program.ts'
import { ProgramFiles } from './program-files.ts'
import { framesOf } from './stack-frames.ts'
import type { Symbolizer } from './symbolizer.ts'

/** Where processes are marked: the live source. */
export interface GoMarks {
  /** @returns false when there is no room for it */
  markGo(pid: number, startNs: bigint): boolean
  unmarkGo(pid: number): void
}

export interface GoProcessesOptions {
  readonly marks: GoMarks
  readonly log: Log
  /** Of a second, for stacks not seen before: a process that makes ever new ones must not hold up the edge. */
  readonly resolveMs?: number
  /** Where procfs is mounted. */
  readonly root?: string
}

/** As many as can be marked, RINGSIDE_GO_MAX. */
const maxProcesses = 4096
/** Processes that wait to be looked at; in a storm of them the rest is told without functions. */
const maxWaiting = 4096
/** Some hundred bytes each; a program calls the system from some hundred places. */
const maxPlaces = 16_384

interface Process {
  readonly startNs: bigint
  readonly program: GoProgram
  /** From addresses as linked to those of the process. */
  readonly bias: number
}

/** Fields 22 and 26 of /proc/PID/stat; the name before them may hold spaces and parentheses. */
const fieldsOf = (stat: string): { readonly startTicks: number; readonly startCode: number } => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { startTicks: Number(fields[19]), startCode: Number(fields[23]) }
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')

export class GoProcesses implements Symbolizer {
  readonly #marks: GoMarks
  readonly #log: Log
  readonly #resolveMs: number
  readonly #root: string
  readonly #waiting = new Map<number, bigint>()
  readonly #processes = new Map<number, Process>()
  readonly #files = new ProgramFiles((program) => this.#letGo(program))
  readonly #places = new Map<string, Stack>()
  #isLooking = false
  #second = 0
  #resolvedMs = 0
  #wasRefused = false

  constructor({ marks, log, resolveMs = 100, root = '/proc' }: GoProcessesOptions) {
    this.#marks = marks
    this.#log = log
    this.#resolveMs = resolveMs
    this.#root = root
  }

  // What was known stays until it has been looked at again: it could have been of this very program already, and calls
  // of a program that is not marked have no stack.
  programStarted(pid: number, startNs: bigint): void {
    if (this.#waiting.size >= maxWaiting) return
    this.#waiting.set(pid, startNs)
    if (!this.#isLooking) void this.#lookAtAll()
  }

  resolve(pid: number, startNs: bigint, addresses: readonly number[]): Stack | undefined {
    const process = this.#processes.get(pid)
    if (process === undefined || process.startNs !== startNs) return undefined
    const began = performance.now()
    if (Math.floor(began / 1000) !== this.#second) {
      this.#second = Math.floor(began / 1000)
      this.#resolvedMs = 0
    }
    if (this.#resolvedMs > this.#resolveMs) return undefined
    const frame = chooseFrame(framesOf(process.program.table, addresses, process.bias))
    this.#resolvedMs += performance.now() - began
    return this.#placeOf(frame?.function ?? null, frame?.file ?? null, frame?.line ?? 0)
  }

  #placeOf(go_function: string | null, go_file: string | null, go_line: number): Stack {
    const name = JSON.stringify([go_function, go_file, go_line])
    const known = this.#places.get(name)
    if (known !== undefined) return known
    if (this.#places.size >= maxPlaces) this.#places.clear()
    const place = { go_function, go_file, go_line }
    this.#places.set(name, place)
    return place
  }

  async #lookAtAll(): Promise<void> {
    this.#isLooking = true
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) {
      const [pid, startNs] = next
      try {
        await this.#look(pid, startNs)
      } catch (error) {
        if (!isGone(error)) this.#refused(pid, error)
      }
    }
    this.#isLooking = false
  }

  #takeNext(): [number, bigint] | undefined {
    const next = this.#waiting.entries().next().value
    if (next !== undefined) this.#waiting.delete(next[0])
    return next
  }

  async #look(pid: number, startNs: bigint): Promise<void> {
    const exe = `${this.#root}/${pid}/exe`
    const name = await this.#files.nameOf(exe)
    const program = await this.#files.read(exe, name)
    if (program === undefined) {
      this.#processes.delete(pid)
      return
    }
    const { startTicks, startCode } = fieldsOf(await readFile(`${this.#root}/${pid}/stat`, 'latin1'))
    const isIt = Math.abs(startTicks - Number(startNs) / (1e9 / ticksPerSecond)) <= 1
    // One that began another program meanwhile waits to be looked at again.
    if (!isIt || this.#waiting.has(pid)) return
    const bias = program.lowestCode === undefined ? 0 : startCode - program.lowestCode
    const process = { startNs, program, bias }
    if (this.#processes.size >= maxProcesses) this.#unmark(this.#processes.keys().next().value as number)
    this.#processes.set(pid, process)
    if (!this.#marks.markGo(pid, startNs)) this.#unmark(pid)
    // The mark could have come after another program had begun, whose beginning takes away only what was marked before.
    const now = await this.#files.nameOf(exe).catch(() => undefined)
    const known = this.#processes.get(pid)
    if (now !== name && (known === undefined || known === process)) this.#unmark(pid)
  }

  #unmark(pid: number): void {
    this.#processes.delete(pid)
    this.#marks.unmarkGo(pid)
  }

  #letGo(program: GoProgram): void {
    for (const [pid, process] of this.#processes) if (process.program === program) this.#unmark(pid)
  }

  #refused(pid: number, error: unknown): void {
    if (this.#wasRefused) return
    this.#wasRefused = true
    this.#log.warn(
      `the program of process ${pid} cannot be read (${messageOf(error)}): its calls, and those of others like it, are told without a Go function; needs CAP_SYS_PTRACE, and an executable that everyone may read`
    )
  }
}
