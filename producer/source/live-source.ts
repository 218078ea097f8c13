// The running kernel as a source: raw records of this host, from the rings of the programs in bpf/.
import { readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { eventClasses, summaryCpu } from '../../bpf/event.ts'
import { readClocks } from '../../native/ring/clocks.ts'
import { Ring } from '../../native/ring/ring.ts'
import type { RingFilter, RingOptions } from '../../native/ring/ring-options.ts'
import type { CpuCounters } from '../../native/ring/ring-statistics.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { EventClass } from '../../wire/types.ts'
import type { GoMarks } from '../go/go-processes.ts'
import type { Program } from '../go/symbolizer.ts'
import { callName } from './call-names.ts'
import { type CallModes, callTable, modeTable } from './call-tables.ts'
import type { Account, ClockReading, LimitedCalls, Mark, Source, SourceStatistics } from './source.ts'

/** A process is observed when it matches every list that is not empty. */
export interface LiveFilter {
  /** Thread group ids in the initial pid namespace. */
  readonly pids: readonly number[]
  /** Names of threads, at most 15 bytes. */
  readonly comms: readonly string[]
  /** Paths of v2 cgroups, absolute or relative to the mount point; their descendants match, too. */
  readonly cgroups: readonly string[]
}

export interface LiveSourceOptions extends LiveFilter {
  /** Size of the ring for exec, fork and exit: a power of two, at least a page. */
  readonly processRingBytes: number
  /** Size of the ring for other events of the classes process and network: a power of two, at least a page. */
  readonly securityRingBytes: number
  /** Size of the ring for the rest: a power of two, at least a page. */
  readonly ringBytes: number
  /** Modes by the call's name; other calls have the mode of their class. */
  readonly calls: CallModes
  /** Events that a process may emit per second; beyond them its calls are counted. 0: no bound. */
  readonly processEventsPerSecond: number
  /** Observe neither this process's parent nor any of the parent's children: the rest of `ringside up`. */
  readonly ignoreFamily: boolean
  /** Folder of a bpffs in which programs and rings outlive this process; '' or undefined: they end with it. */
  readonly pinDir?: string
  /** User that removes the pins, when this process becomes another user. */
  readonly pinOwner?: RingOptions['pinOwner']
  /** Makes the kernel measure the time of the programs, at a small cost per run. */
  readonly measureCost?: boolean
  /** Emitted calls of processes marked by markGo carry their stack. */
  readonly goFunctions?: boolean
}

export interface LiveSource extends Source, GoMarks {
  /** Replaces the filter at once. */
  setFilter(filter: LiveFilter): void
  /** Lines for the log: the result of a takeover, why nothing is pinned, what this kernel cannot observe. */
  readonly notes: readonly string[]
  /** Time of the programs on all CPUs, in nanoseconds; undefined without measureCost. */
  programTimeNs(): number | undefined
  /**
   * Replaces the modes.
   * @param reduced classes whose calls are counted instead of emitted
   */
  setCalls(calls: CallModes, reduced?: ReadonlySet<EventClass>): void
  /** @param perSecond as in LiveSourceOptions.processEventsPerSecond */
  setProcessEvents(perSecond: number): void
}

/** The mount point of cgroup v2: /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid host. */
const findCgroupMount = (): string => {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, path, type] = line.split(' ')
    if (type === 'cgroup2' && path !== undefined) return path
  }
  throw new RingsideError(
    'CONFIG',
    'a filter by cgroup needs cgroup v2, which is not mounted: mount -t cgroup2 none /sys/fs/cgroup'
  )
}

/** The id of a cgroup is the inode of its folder. */
const cgroupId = (path: string, mount: string): bigint => {
  const folder = path === mount || path.startsWith(`${mount}/`) ? path : join(mount, path)
  try {
    return statSync(folder, { bigint: true }).ino
  } catch (cause) {
    throw new RingsideError('CONFIG', `there is no cgroup "${path}" in ${mount}: ${messageOf(cause)}`, { cause })
  }
}

const toRingFilter = ({ pids, comms, cgroups }: LiveFilter): RingFilter => {
  const mount = cgroups.length > 0 ? findCgroupMount() : ''
  return { pids, comms, cgroups: cgroups.map((path) => cgroupId(path, mount)) }
}

/** @throws RingsideError CONFIG when a cgroup does not exist, or none can */
export const checkFilter = (filter: LiveFilter): void => void toRingFilter(filter)

const sumByClass = (rows: readonly CpuCounters[], pick: (row: CpuCounters) => readonly number[]) =>
  Object.fromEntries(
    eventClasses.map((name, index) => [name, rows.reduce((sum, row) => sum + (pick(row)[index] ?? 0), 0)])
  ) as Record<EventClass, number>

const total = (counts: Readonly<Record<EventClass, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

/** One tracepoint: its name before Linux 6.5, and since. */
const uringPrograms: readonly string[] = ['io_uring_submit_sqe', 'io_uring_submit_req']
const uringOutcomes = 'io_uring_complete'

/** @param unsupported names of programs that this kernel does not run */
export const notesOf = (unsupported: readonly string[]): string[] => {
  const names = unsupported.filter((name) => !uringPrograms.includes(name) && name !== uringOutcomes)
  if (uringPrograms.every((name) => unsupported.includes(name))) names.push('requests to io_uring')
  else if (unsupported.includes(uringOutcomes)) names.push('results of requests to io_uring')
  return names.map((name) => `not observed, because this kernel has no tracepoint for it: ${name}`)
}

class KernelSource implements LiveSource {
  readonly boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  readonly description: string
  readonly begin: Mark
  readonly previous: Account | undefined
  readonly notes: readonly string[]
  readonly #ring: Ring
  /** Processes are examined asynchronously: marks may come after close(). */
  #closed = false

  constructor(ring: Ring) {
    this.#ring = ring
    const [process, security, rest] = ring.ringBytes.map((bytes) => bytes / 2 ** 20)
    this.description = `live kernel ${release()}, rings of ${process}, ${security} and ${rest} MiB`
    this.begin = ring.begin
    this.previous = ring.previous
    this.notes = [...ring.notes, ...notesOf(ring.unsupported)]
  }

  read(into: Uint8Array): number {
    return this.#ring.read(into)
  }

  clock(): ClockReading {
    return readClocks()
  }

  statistics(): SourceStatistics {
    const { cpus, summaries, countedUntilNs, skipped, programTimeNs } = this.#ring.statistics()
    const emitted = sumByClass(cpus, (row) => row.emitted)
    const dropped = sumByClass(cpus, (row) => row.dropped)
    return {
      seen: total(emitted) + total(dropped),
      emitted,
      dropped,
      off: sumByClass(cpus, (row) => row.off),
      counted: sumByClass(cpus, (row) => row.counted),
      untracked: cpus.reduce((sum, row) => sum + row.untracked, skipped),
      uncounted: cpus.reduce((sum, row) => sum + row.uncounted, 0),
      limited: cpus.reduce((sum, row) => sum + row.limited, 0),
      ...(programTimeNs === undefined ? {} : { programTimeNs }),
      ...(countedUntilNs === undefined ? {} : { countedUntilUs: Math.floor(countedUntilNs / 1000) }),
      sequences: [...cpus, { cpu: summaryCpu, ...summaries }]
        .filter((row) => row.last > row.before)
        .map(({ cpu, before, last }) => ({ cpu, before, last }))
    }
  }

  setFilter(filter: LiveFilter): void {
    this.#ring.setFilter(toRingFilter(filter))
  }

  setCalls(calls: CallModes, reduced?: ReadonlySet<EventClass>): void {
    this.#ring.setModes(modeTable(calls, reduced))
  }

  setProcessEvents(perSecond: number): void {
    this.#ring.setProcessEvents(perSecond)
  }

  release(mark: Mark, account: Account): void {
    this.#ring.release(mark, account)
  }

  get pressure(): number {
    return this.#ring.pressure
  }

  summarize(): Promise<boolean> {
    return this.#ring.summarize()
  }

  limited(): readonly LimitedCalls[] {
    return this.#ring.limited().map(({ pid, startNs, comm, isCompat, nr, count }) => ({
      ...{ pid, comm, count },
      startUs: Number(startNs / 1000n),
      call: callName(nr, isCompat) ?? `syscall_${nr}`
    }))
  }

  markGo({ pid, startNs, execId }: Program): boolean {
    return !this.#closed && this.#ring.markGo(pid, startNs, execId)
  }

  unmarkGo({ pid, startNs, execId }: Program): void {
    if (!this.#closed) this.#ring.unmarkGo(pid, startNs, execId)
  }

  programTimeNs(): number | undefined {
    return this.#ring.programTimeNs()
  }

  get ended(): boolean {
    return this.#ring.ended
  }

  detach(): Promise<void> {
    return this.#ring.detach()
  }

  close(): void {
    this.#closed = true
    this.#ring.close()
  }
}

/**
 * Begins to observe this host, or takes over from a dead edge. Needs CAP_BPF and CAP_PERFMON.
 * @returns once the programs are attached
 * @throws RingsideError CONFIG (an unknown call, cgroup, or ring size), NO_PERMISSION, or OS (no BTF, not built)
 */
export const openLiveSource = async (options: LiveSourceOptions): Promise<LiveSource> => {
  const ring = await Ring.open({
    processRingBytes: options.processRingBytes,
    securityRingBytes: options.securityRingBytes,
    ringBytes: options.ringBytes,
    callOf: callTable(),
    modeOf: modeTable(options.calls),
    processEvents: options.processEventsPerSecond,
    filter: toRingFilter(options),
    ignoreFamily: options.ignoreFamily,
    pinDir: options.pinDir ?? '',
    pinOwner: options.pinOwner,
    measureCost: options.measureCost ?? false,
    goFunctions: options.goFunctions ?? false
  })
  return new KernelSource(ring)
}
