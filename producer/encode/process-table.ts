// Rows of a batch's process table. A record names its process, by pid and start, and the program that the process ran
// then: it may arrive after a later exec. A row is made once and knows its index in the open batch.
import { LRUCache } from 'lru-cache'
import { eventField as field } from '../../bpf/event.ts'
import type { Process } from '../../wire/types.ts'
import { containerIdIn } from '../container-id.ts'
import type { Program, Symbolizer } from '../go/symbolizer.ts'
import { type ProcessFacts, type ProcReader, ticksPerSecond } from '../proc.ts'
import type { RawEvents } from '../source/raw-events.ts'
import { type Common, type Identity, matches, newRow, type Row, startUs } from './process-row.ts'

/** About 600 bytes each, a few times as much with dozens of rows. A busy host has some thousands of processes. */
const maxProcesses = 32_768
/**
 * Executions that an exec ended, without rows, some 200 bytes each: summaries of a second, and calls of the other ring,
 * can follow the exec. A busy host has some hundreds of execs a second.
 */
const maxFormer = 8_192
/** Rows for the names and users of a process's threads; a JVM has dozens. Evicted rows are made again. */
const maxRows = 64
/** Ended processes are kept for a while: the outcome of a connect and the last summaries can follow the exit. */
const maxEnded = 8_192

/** No other one has the same number. */
export interface NumberedProgram extends Program {
  readonly number: number
}

/** What a process runs from one exec to the next. */
interface Execution {
  readonly execId: number
  exe: string | null
  readonly program: NumberedProgram
  rows: Row[]
}

interface Entry extends Common {
  /** The latest one. */
  execution: Execution
}

const keyOf = ({ pid, startNs }: Identity): string => `${pid} ${startNs}`
const programKey = (process: Identity, execId: number): string => `${keyOf(process)} ${execId}`

const programIn = (raw: RawEvents, record: number): Program => ({
  pid: raw.i32(record + field.pid),
  startNs: raw.big(record + field.startNs),
  execId: raw.u32(record + field.execId)
})

/** Ids wrap. */
const isLater = (execId: number, than: number): boolean => ((execId - than) | 0) > 0

export class ProcessTable {
  readonly #entries = new LRUCache<string, Entry>({ max: maxProcesses })
  readonly #former = new LRUCache<string, Execution>({ max: maxFormer })
  readonly #ended: string[] = []
  readonly #proc: ProcReader
  readonly #symbolizer: Symbolizer | undefined
  #programs = 0
  #versions = 0
  /** Processes that ran before the first event; each is used once. */
  readonly #present: Map<number, ProcessFacts>

  constructor(proc: ProcReader, symbolizer?: Symbolizer) {
    this.#proc = proc
    this.#symbolizer = symbolizer
    this.#present = proc.scan()
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * Returns the index of an event's process in `rows`, and adds a row unless the batch has it.
   * @param record offset of the event in raw
   * @param batch number of the open batch
   * @param rows the process table of the open batch
   */
  indexOf(raw: RawEvents, record: number, batch: number, rows: Process[]): number {
    const entry = this.#entryOf(raw, record)
    const execution = this.#executionOf(entry, programIn(raw, record))
    let row = execution.rows.find((candidate) => matches(candidate, entry.version, raw, record))
    if (row === undefined) {
      row = newRow(entry, execution.exe, raw, record)
      if (execution.rows.length === maxRows) execution.rows.shift()
      execution.rows.push(row)
    }
    if (row.batch !== batch) {
      row.batch = batch
      row.index = rows.push(row.process) - 1
    }
    return row.index
  }

  /** The program that the event's process ran. Call after indexOf. */
  programOf(raw: RawEvents, record: number): NumberedProgram {
    return this.#executionOf(this.#entryOf(raw, record), programIn(raw, record)).program
  }

  /** The process executed a program. Call before indexOf. */
  exec(raw: RawEvents, record: number, path: string | null): void {
    const program = programIn(raw, record)
    const exe = path ?? this.#exeOf(program)
    let entry = this.#entries.get(keyOf(program))
    if (entry === undefined) {
      entry = this.#add(program, null, null, this.#newExecution(program, exe))
    } else if (isLater(program.execId, entry.execution.execId)) {
      this.#begin(entry, program, exe)
    } else {
      // A call of the program was read before its exec.
      const known = this.#executionOf(entry, program)
      known.exe = exe
      known.rows = []
    }
    // A container's first process is forked outside, moved into its cgroup, and executes then.
    if (entry.containerId === null) {
      entry.containerId = containerIdIn(raw.extra(record))
      entry.version = ++this.#versions
    }
    this.#symbolizer?.programStarted(program)
  }

  /**
   * A new process starts with its creator's program and container. The creator is matched by pid and start: a parent by
   * CLONE_PARENT, or a later process with the creator's pid, passes nothing on. Call before indexOf.
   */
  fork(raw: RawEvents, record: number): void {
    const child = programIn(raw, record)
    // The child has a copy of the id.
    const creator = {
      pid: raw.i32(record + field.origin),
      startNs: raw.big(record + field.originId),
      execId: child.execId
    }
    const known = this.#entries.get(keyOf(creator))
    if (known !== undefined) {
      const { exe, program } = this.#executionOf(known, creator)
      const containerId = known.containerId ?? containerIdIn(raw.extra(record))
      this.#add(child, containerId, creator, { execId: child.execId, exe, program, rows: [] })
      return
    }
    const facts = this.#read(creator)
    const containerId = facts?.containerId ?? containerIdIn(raw.extra(record))
    if (facts === undefined) this.#addUnknown(child, containerId, creator)
    else this.#add(child, containerId, creator, this.#newExecution(creator, facts.exe))
  }

  /** The process ended. Call after indexOf. */
  exit(raw: RawEvents, record: number): void {
    const key = keyOf(programIn(raw, record))
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.execution.rows = []
    this.#ended.push(key)
    if (this.#ended.length > maxEnded) this.#entries.delete(this.#ended.shift() as string)
  }

  #entryOf(raw: RawEvents, record: number): Entry {
    const program = programIn(raw, record)
    return this.#entries.get(keyOf(program)) ?? this.#addUnknown(program, null, null)
  }

  /** The execution that has the id: the latest, a former one, or a later one whose exec was not observed. */
  #executionOf(entry: Entry, program: Program): Execution {
    if (entry.execution.execId === program.execId) return entry.execution
    if (isLater(program.execId, entry.execution.execId)) {
      this.#symbolizer?.programStarted(program)
      return this.#begin(entry, program, this.#exeOf(program))
    }
    const key = programKey(program, program.execId)
    const former = this.#former.get(key)
    if (former !== undefined) return former
    const unknown = this.#newExecution(program, null)
    this.#former.set(key, unknown)
    return unknown
  }

  /** Replaces the latest execution, which becomes a former one. */
  #begin(entry: Entry, program: Program, exe: string | null): Execution {
    entry.execution.rows = []
    this.#former.set(programKey(program, entry.execution.execId), entry.execution)
    entry.execution = this.#newExecution(program, exe)
    return entry.execution
  }

  #newExecution(program: Program, exe: string | null): Execution {
    return { execId: program.execId, exe, program: { ...program, number: ++this.#programs }, rows: [] }
  }

  #addUnknown(program: Program, containerId: string | null, creator: Identity | null): Entry {
    const facts = this.#read(program)
    this.#symbolizer?.programStarted(program)
    const execution = this.#newExecution(program, facts?.exe ?? null)
    return this.#add(program, containerId ?? facts?.containerId ?? null, creator, execution)
  }

  #add(process: Identity, containerId: string | null, creator: Identity | null, execution: Execution): Entry {
    const entry: Entry = { version: ++this.#versions, containerId, creator, execution }
    this.#entries.set(keyOf(process), entry)
    this.#present.delete(process.pid)
    return entry
  }

  #exeOf(process: Identity): string | null {
    return this.#read(process)?.exe ?? null
  }

  /** Facts from /proc, unless the pid belongs to another process by now. */
  #read(process: Identity): ProcessFacts | undefined {
    const ticks = startUs(process) / (1_000_000 / ticksPerSecond)
    const isIt = (facts: ProcessFacts | undefined): boolean =>
      facts !== undefined && Math.abs(facts.startTicks - ticks) <= 1
    const present = this.#present.get(process.pid)
    if (isIt(present)) return present
    const now = this.#proc.read(process.pid)
    return isIt(now) ? now : undefined
  }
}
