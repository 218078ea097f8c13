// The rings of the kernel programs: loads, attaches, and hands out their records in batches. Validates
// what the addon assumes, and turns its failures into errors that say what to do.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { abis, commSize, countersBytes, countersField, eventClasses, nrMax, recordMaxBytes } from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { addon, buildDir, type NativeAccount, type NativeOptions, type NativeRing, toRingsideError } from './addon.ts'

const kernelTypes = '/sys/kernel/btf/vmlinux'

const callNumbers = abis.length * nrMax
const classCount = eventClasses.length
const laneCount = 3
const counterWords = countersBytes / 8
const commMaxBytes = commSize - 1

/** Empty: all pass. What is not empty must all be met. */
export interface RingFilter {
  /** Thread group ids in the initial pid namespace. */
  readonly pids: readonly number[]
  /** Names of threads, at most 15 bytes. */
  readonly comms: readonly string[]
  /** Ids of v2 cgroups; what lies below them matches too. */
  readonly cgroups: readonly bigint[]
}

export interface RingOptions {
  /** The built BPF object; build/ringside.bpf.o unless given. */
  readonly object?: string
  /** Of the ring for processes and connections: a power of two, and a multiple of the page size. */
  readonly securityRingBytes: number
  /** Of the ring for the rest, files, reads and writes; likewise. */
  readonly ringBytes: number
  /** By ABI and system call number: enum ringside_call, 0 for no such call; abis.length × nrMax entries. */
  readonly callOf: Uint8Array
  /** By ABI and system call number: enum ringside_mode; abis.length × nrMax entries. */
  readonly modeOf: Uint8Array
  readonly filter: RingFilter
  /** Observe neither this process's parent nor any of the parent's children. */
  readonly ignoreFamily: boolean
  /** Folder of a bpffs in which all outlives this process; '' (the default): nothing does. */
  readonly pinDir?: string
  /** Who will remove the pins, if this process becomes another user. */
  readonly pinOwner?: { readonly uid: number; readonly gid: number } | undefined
  /** Have the kernel measure what the programs cost, which costs a little with each run. */
  readonly measureCost?: boolean
  /** Calls that are told of processes marked by markGo come with their stack. */
  readonly goFunctions?: boolean
}

/** A place in the security ring, the ring of the rest, and the summaries: sums of the steps of their records. */
export interface RingMark {
  readonly security: number
  readonly rest: number
  readonly summaries: number
}

/** What is durable at a mark, for a successor to go on from; arrays by enum ringside_class. */
export interface RingAccount {
  /** At most 39 bytes. */
  readonly run: string
  readonly batch: number
  readonly closed: readonly { readonly cpu: number; readonly seq: number }[]
  readonly declared: readonly number[]
  readonly events: readonly number[]
}

export interface RingStatistics {
  /** Of all possible CPUs. */
  readonly cpus: readonly CpuCounters[]
  /** The seq before the first, and that of the last summary that can be read. */
  readonly summaries: { readonly before: number; readonly last: number }
  /** CLOCK_MONOTONIC up to which summaries tell of all counted calls; undefined: none were made. */
  readonly countedUntilNs: number | undefined
  /** Runs of programs that the kernel left out, as far as it says so. */
  readonly skipped: number
}

/** The counters of one CPU, since the programs were loaded; classes are in the order of enum ringside_class. */
export interface CpuCounters {
  readonly cpu: number
  /** The seq before the first that was given out. */
  readonly before: number
  /** The last seq that was given out. */
  readonly last: number
  readonly emitted: readonly number[]
  /** The ring had no room. */
  readonly dropped: readonly number[]
  /** Calls that were not observed, by mode or filter. */
  readonly off: readonly number[]
  readonly counted: readonly number[]
  /** Calls that no state could be stored for. */
  readonly untracked: number
  /** Of those counted: no summary has them. */
  readonly uncounted: number
}

const invalid = (message: string): RingsideError => new RingsideError('CONFIG', message)

const toNativeFilter = (filter: RingFilter): Pick<NativeOptions, 'pids' | 'comms' | 'cgroups'> => {
  for (const pid of filter.pids) {
    if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fff_ffff) throw invalid(`${pid} is not a process id`)
  }
  for (const comm of filter.comms) {
    const bytes = Buffer.byteLength(comm)
    if (bytes < 1 || bytes > commMaxBytes || comm.includes('\0')) {
      throw invalid(`"${comm}" is not a thread's name: 1 to ${commMaxBytes} bytes, none of them NUL`)
    }
  }
  return {
    pids: Uint32Array.from(filter.pids),
    comms: filter.comms,
    cgroups: BigUint64Array.from(filter.cgroups)
  }
}

const requireRingSize = (bytes: number): void => {
  if (!Number.isInteger(bytes) || bytes < 4096 || bytes > 2 ** 30 || (bytes & (bytes - 1)) !== 0) {
    throw invalid(`a ring of ${bytes} bytes is not possible: it must be a power of two from 4096 to 2^30`)
  }
}

const requireLength = (name: string, bytes: Uint8Array, length: number): void => {
  if (bytes.length !== length) throw invalid(`${name} has ${bytes.length} entries; it must have ${length}`)
}

const byClass = (counts: readonly number[]): number[] => Array.from({ length: classCount }, (_, i) => counts[i] ?? 0)

/** @param words struct ringside_counters */
const toCpuCounters = (cpu: number, before: number, words: Float64Array): CpuCounters => {
  const word = (field: keyof typeof countersField): number => words[countersField[field] / 8] ?? 0
  const countsOf = (field: keyof typeof countersField): number[] => {
    const begin = countersField[field] / 8
    return Array.from(words.subarray(begin, begin + classCount))
  }
  return {
    cpu,
    before,
    last: word('seq'),
    emitted: countsOf('emitted'),
    dropped: countsOf('dropped'),
    off: countsOf('off'),
    counted: countsOf('counted'),
    untracked: word('untracked'),
    uncounted: word('uncounted')
  }
}

const toTable = ({ security, rest, summaries }: RingMark, account: RingAccount): Float64Array =>
  Float64Array.from([
    ...[security, rest, summaries, account.batch],
    ...byClass(account.declared),
    ...byClass(account.events),
    ...account.closed.flatMap(({ cpu, seq }) => [cpu, seq])
  ])

const fromTable = ({ run, table }: NativeAccount): RingAccount => {
  const [batch = 0, ...numbers] = table.subarray(laneCount)
  const pairs = numbers.slice(2 * classCount)
  const closed = Array.from({ length: pairs.length / 2 }, (_, i) => ({
    cpu: pairs[2 * i] as number,
    seq: pairs[2 * i + 1] as number
  }))
  const declared = numbers.slice(0, classCount)
  return { run, batch, closed, declared, events: numbers.slice(classCount, 2 * classCount) }
}

/**
 * The summaries that groups (struct ringside_group, bpf/event.h) are merged into, as records of KIND_SUMMARY.
 * @param groups whole ones, beginning at a multiple of 8
 * @param seqBefore of the summary before the first
 * @param timeNs when counting ended, by CLOCK_MONOTONIC; it had gone on for durationNs
 */
export const mergeGroups = (groups: Uint8Array, seqBefore: number, timeNs: number, durationNs: number): Uint8Array =>
  addon().summarize(groups, seqBefore, timeNs, durationNs)

/** CLOCK_MONOTONIC and CLOCK_REALTIME at the same moment, in nanoseconds. */
export const readClocks = (): { monotonicNs: bigint; wallNs: bigint } => {
  const [monotonicNs, wallNs] = addon().clock()
  return { monotonicNs, wallNs }
}

export class Ring {
  readonly #native: NativeRing
  /** Where reading begins; all zeros unless taken over. */
  readonly begin: RingMark
  /** The account that a dead edge left; undefined when there was none. */
  readonly previous: RingAccount | undefined
  /** For whoever started it to know: what was taken over or could not be, and why nothing is pinned. */
  readonly notes: readonly string[]
  /** Programs that are not loaded, as this kernel has no place for them. */
  readonly unsupported: readonly string[]
  /** Of the security ring and the other: those of a ring that was taken over stay what they were. */
  readonly ringBytes: readonly number[]

  private constructor(native: NativeRing) {
    this.#native = native
    const [security = 0, rest = 0, summaries = 0] = native.begin
    this.begin = { security, rest, summaries }
    this.previous = native.previous === null ? undefined : fromTable(native.previous)
    this.notes = native.notes
    this.unsupported = native.unsupported
    this.ringBytes = [...native.ringBytes]
  }

  /**
   * Loads and attaches the programs, or takes over those that a dead process left pinned, off the event loop; events
   * flow when it resolves.
   * @throws RingsideError CONFIG, NO_PERMISSION, or OS with the verifier's log
   */
  static async open(options: RingOptions): Promise<Ring> {
    const { securityRingBytes, ringBytes, callOf, modeOf, ignoreFamily } = options
    requireRingSize(securityRingBytes)
    requireRingSize(ringBytes)
    requireLength('callOf', callOf, callNumbers)
    requireLength('modeOf', modeOf, callNumbers)
    const filter = toNativeFilter(options.filter)
    const object = options.object ?? join(buildDir, 'ringside.bpf.o')
    if (!existsSync(object)) throw new RingsideError('OS', `there is no ${object}; build it with: npm run build`)
    if (!existsSync(kernelTypes)) {
      const message = `this kernel has no BTF at ${kernelTypes}: needs Linux 5.15 or newer with CONFIG_DEBUG_INFO_BTF=y`
      throw new RingsideError('OS', message)
    }
    const hash = createHash('sha256').update(readFileSync(object)).digest()
    const { pinDir = '', pinOwner, measureCost = false, goFunctions = false } = options
    const sizes = { securityRingBytes, ringBytes }
    const tables = { callOf, modeOf, ignoreFamily, ...filter }
    const extras = { measureCost, goFunctions }
    try {
      return new Ring(await addon().open({ object, hash, ...sizes, ...tables, pinDir, pinOwner, ...extras }))
    } catch (error) {
      throw toRingsideError(error)
    }
  }

  /**
   * Copies whole records, as many as are there and fit, and never blocks: first those of processes and connections,
   * then the others, for which a quarter of the room is kept, then summaries. Each says in its field `advance` how far
   * it moves the place in its lane.
   * @param into room for at least four of the longest record (65,696 bytes), beginning at a multiple of 8
   * @returns bytes filled; 0 when there is nothing to read
   */
  read(into: Uint8Array): number {
    if (into.byteLength < 4 * recordMaxBytes) {
      const message = `${into.byteLength} bytes have no room for four records of ${recordMaxBytes}`
      throw new RingsideError('SOFTWARE', message)
    }
    return this.#native.read(into)
  }

  /**
   * Gives back the room before a mark; whoever takes over begins there, with this account.
   * @throws RingsideError SOFTWARE when the mark lies before what was released or behind what was read
   */
  release(mark: RingMark, account: RingAccount): void {
    try {
      this.#native.release(toTable(mark, account), account.run)
    } catch (cause) {
      const place = `${mark.security}, ${mark.rest}, ${mark.summaries}`
      const message = `cannot release up to ${place}: it lies not between what was released and what was read`
      throw new RingsideError('SOFTWARE', message, { cause })
    }
  }

  /** From 0 to 1: what was read and is not released holds this share of its ring, of the fuller one. */
  get pressure(): number {
    return this.#native.pressure
  }

  /**
   * Ends the time that summaries are of; when it resolves, they can be read. Waits for the kernel off the event loop.
   * @returns false when it did nothing: summaries are not released yet, or no call is counted
   */
  summarize(): Promise<boolean> {
    return this.#native.summarize()
  }

  /** Takes the place of the filter there was; what a task is doing just now may still be told by the old one. */
  setFilter(filter: RingFilter): void {
    const { pids, comms, cgroups } = toNativeFilter(filter)
    try {
      this.#native.setFilter(pids, comms, cgroups)
    } catch (error) {
      throw toRingsideError(error)
    }
  }

  /** @param modeOf by ABI and system call number: enum ringside_mode; abis.length × nrMax entries */
  setModes(modeOf: Uint8Array): void {
    requireLength('modeOf', modeOf, callNumbers)
    this.#native.setModes(modeOf)
  }

  /**
   * From here on told calls of a process come with their stack, until it executes another program.
   * @param startNs CLOCK_BOOTTIME at its start, as its records have it
   * @returns false when as many of its set are marked and alive as there is room for
   */
  markGo(pid: number, startNs: bigint): boolean {
    return this.#native.markGo(pid, startNs)
  }

  unmarkGo(pid: number): void {
    this.#native.unmarkGo(pid)
  }

  /** Since the programs were first loaded; from mapped memory, but for `skipped`, asked for once a second. */
  statistics(): RingStatistics {
    const table = this.#native.statistics()
    const [before = 0, lastSummary = 0, countedUntilNs = 0, skipped = 0] = table
    const counters = table.subarray(4)
    const cpus = Array.from({ length: counters.length / counterWords }, (_, cpu) =>
      toCpuCounters(cpu, before, counters.subarray(cpu * counterWords, (cpu + 1) * counterWords))
    )
    const summaries = { before, last: lastSummary }
    return { cpus, summaries, countedUntilNs: countedUntilNs === 0 ? undefined : countedUntilNs, skipped }
  }

  /** Nanoseconds that the programs have run, on all CPUs; undefined unless it is measured. */
  programTimeNs(): number | undefined {
    try {
      return this.#native.programTimeNs()
    } catch (error) {
      throw toRingsideError(error)
    }
  }

  /** Stops the making of records: when it resolves, what can be read and what is still counted is all there will be. */
  async detach(): Promise<void> {
    await this.#native.detach()
  }

  /** Detached, and read to the end; what was counted last can be read when what was counted before is released. */
  get ended(): boolean {
    return this.#native.ended
  }

  /** Gives everything back to the kernel, pins too if it was detached; unread records are then lost. */
  close(): void {
    try {
      this.#native.close()
    } catch (error) {
      throw toRingsideError(error)
    }
  }
}
