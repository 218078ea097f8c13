// Rows of a batch's process table. A process keeps its executable and container until it executes another program. A
// row is made once and knows its index in the open batch.
import { LRUCache } from 'lru-cache'
import { eventField as field } from '../../bpf/event.ts'
import type { Process } from '../../wire/types.ts'
import { containerIdIn } from '../container-id.ts'
import type { Symbolizer } from '../go/symbolizer.ts'
import { type ProcessFacts, type ProcReader, ticksPerSecond } from '../proc.ts'
import { clampLong, microsecondsAt } from '../source/numbers.ts'
import type { RawEvents } from '../source/raw-events.ts'

/** About 600 bytes each, a few times as much with dozens of rows. A busy host has some thousands of processes. */
const maxProcesses = 32_768
/** Rows for the names and users of a process's threads; a JVM has dozens. Evicted rows are made again. */
const maxRows = 64
/** Ended processes are kept for a while: the outcome of a connect and the last summaries can follow the exit. */
const maxEnded = 8_192

/** The row of a process for one combination of comm, uid, euid, ppid and cgroup. */
interface Row {
  readonly words: readonly number[]
  readonly process: Process
  batch: number
  index: number
}

interface Creator {
  readonly pid: number
  readonly startUs: number
}

interface Entry {
  readonly pid: number
  readonly startLow: number
  readonly startHigh: number
  exe: string | null
  containerId: string | null
  /** The process that made it; null when its fork was not observed. */
  readonly creator: Creator | null
  /** Identifies the program that the process runs; changes when it executes another. */
  program: number
  rows: Row[]
}

const wordOffsets = [
  field.comm,
  field.comm + 4,
  field.comm + 8,
  field.comm + 12,
  field.uid,
  field.euid,
  field.ppid,
  field.cgroupId,
  field.cgroupId + 4
] as const

const matches = (row: Row, raw: RawEvents, record: number): boolean => {
  for (let i = 0; i < wordOffsets.length; i++) {
    if (row.words[i] !== raw.u32(record + (wordOffsets[i] as number))) return false
  }
  return true
}

export class ProcessTable {
  readonly #entries = new LRUCache<number, Entry>({ max: maxProcesses })
  readonly #ended: Entry[] = []
  readonly #proc: ProcReader
  readonly #symbolizer: Symbolizer | undefined
  #programs = 0
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
    let row = entry.rows.find((candidate) => matches(candidate, raw, record))
    if (row === undefined) {
      row = newRow(entry, raw, record)
      if (entry.rows.length === maxRows) entry.rows.shift()
      entry.rows.push(row)
    }
    if (row.batch !== batch) {
      row.batch = batch
      row.index = rows.push(row.process) - 1
    }
    return row.index
  }

  /**
   * Identifies the program that the event's process runs: no other process or program has the same number. Call after
   * indexOf.
   */
  programOf(raw: RawEvents, record: number): number {
    return this.#entries.get(raw.i32(record + field.pid))?.program ?? 0
  }

  /** The process executed a program. Call before indexOf. */
  exec(raw: RawEvents, record: number, path: string | null): void {
    const entry = this.#entryOf(raw, record)
    entry.exe = path ?? this.#read(raw, record)?.exe ?? null
    // A container's first process is forked outside, moved into its cgroup, and executes then.
    entry.containerId ??= containerIdIn(raw.extra(record))
    entry.rows = []
    entry.program = ++this.#programs
    this.#programStarted(raw, record)
  }

  /**
   * A new process starts with its creator's executable and container. The creator is matched by pid and start: a parent by
   * CLONE_PARENT, or a later process with the creator's pid, passes nothing on. Call before indexOf.
   */
  fork(raw: RawEvents, record: number): void {
    const pid = raw.i32(record + field.origin)
    const at = record + field.originId
    const creator = { pid, startUs: microsecondsAt(raw, at) }
    const facts = this.#factsOf(raw, pid, at)
    const containerId = facts?.containerId ?? containerIdIn(raw.extra(record))
    if (facts !== undefined) this.#add(raw, record, facts.exe, containerId, creator)
    else this.#addUnknown(raw, record, containerId, creator)
  }

  /** The process ended. Call after indexOf. */
  exit(raw: RawEvents, record: number): void {
    const entry = this.#entries.get(raw.i32(record + field.pid))
    if (entry === undefined) return
    entry.rows = []
    this.#ended.push(entry)
    if (this.#ended.length <= maxEnded) return
    const oldest = this.#ended.shift() as Entry
    if (this.#entries.get(oldest.pid) === oldest) this.#entries.delete(oldest.pid)
  }

  #entryOf(raw: RawEvents, record: number): Entry {
    const entry = this.#entries.get(raw.i32(record + field.pid))
    if (
      entry !== undefined &&
      entry.startLow === raw.u32(record + field.startNs) &&
      entry.startHigh === raw.u32(record + field.startNs + 4)
    ) {
      return entry
    }
    return this.#addUnknown(raw, record, null, null)
  }

  #addUnknown(raw: RawEvents, record: number, containerId: string | null, creator: Creator | null): Entry {
    const facts = this.#read(raw, record)
    this.#programStarted(raw, record)
    return this.#add(raw, record, facts?.exe ?? null, containerId ?? facts?.containerId ?? null, creator)
  }

  #add(raw: RawEvents, record: number, exe: string | null, containerId: string | null, creator: Creator | null): Entry {
    const entry: Entry = {
      pid: raw.i32(record + field.pid),
      startLow: raw.u32(record + field.startNs),
      startHigh: raw.u32(record + field.startNs + 4),
      exe,
      containerId,
      creator,
      program: ++this.#programs,
      rows: []
    }
    this.#entries.set(entry.pid, entry)
    this.#present.delete(entry.pid)
    return entry
  }

  #programStarted(raw: RawEvents, record: number): void {
    this.#symbolizer?.programStarted(raw.i32(record + field.pid), raw.startNs(record), raw.timeNs(record))
  }

  /** What is known of the process with this pid and the start at offset `at`. */
  #factsOf(raw: RawEvents, pid: number, at: number): Pick<ProcessFacts, 'exe' | 'containerId'> | undefined {
    const entry = this.#entries.get(pid)
    if (entry !== undefined && entry.startLow === raw.u32(at) && entry.startHigh === raw.u32(at + 4)) return entry
    return this.#readAt(raw, pid, at)
  }

  /** Facts from /proc, unless the pid belongs to another process by now. */
  #read(raw: RawEvents, record: number): ProcessFacts | undefined {
    return this.#readAt(raw, raw.i32(record + field.pid), record + field.startNs)
  }

  #readAt(raw: RawEvents, pid: number, at: number): ProcessFacts | undefined {
    const ticks = microsecondsAt(raw, at) / (1_000_000 / ticksPerSecond)
    const isIt = (facts: ProcessFacts | undefined): boolean =>
      facts !== undefined && Math.abs(facts.startTicks - ticks) <= 1
    const present = this.#present.get(pid)
    if (isIt(present)) return present
    const now = this.#proc.read(pid)
    return isIt(now) ? now : undefined
  }
}

const newRow = (entry: Entry, raw: RawEvents, record: number): Row => ({
  words: wordOffsets.map((offset) => raw.u32(record + offset)),
  process: {
    pid: entry.pid,
    start_us: microsecondsAt(raw, record + field.startNs),
    ppid: raw.i32(record + field.ppid),
    uid: raw.u32(record + field.uid),
    comm: raw.comm(record),
    exe: entry.exe,
    container_id: entry.containerId,
    cgroup_id: clampLong(raw.u64(record + field.cgroupId)),
    euid: raw.u32(record + field.euid),
    creator_pid: entry.creator?.pid ?? -1,
    creator_start_us: entry.creator?.startUs ?? -1
  },
  batch: 0,
  index: 0
})
