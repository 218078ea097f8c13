// The rings of the kernel programs: loads, attaches, and hands out their records in batches. Validates
// what the addon assumes, and turns its failures into errors that say what to do.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { getSystemErrorName } from 'node:util'
import { messageOf, RingsideError } from '../../runtime/errors.ts'

const buildDir = join(import.meta.dirname, '..', '..', 'build')
const kernelTypes = '/sys/kernel/btf/vmlinux'

/** RINGSIDE_ABI_COUNT × RINGSIDE_NR_MAX, bpf/event.h. */
const callNumbers = 2 * 1024
const classCount = 4
const commMaxBytes = 15
/** A record is read only into room for the longest: its header, and strings whose sizes have 16 bits. */
const longestRecordBytes = 160 + 65_536

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
  /** By ABI and system call number: enum ringside_call, 0 for no such call; 2 × 1024 entries. */
  readonly callOf: Uint8Array
  /** By ABI and system call number: enum ringside_mode; 2 × 1024 entries. */
  readonly modeOf: Uint8Array
  readonly filter: RingFilter
  /** Observe neither this process's parent nor any of the parent's children. */
  readonly ignoreFamily: boolean
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
  /** Calls that no state could be stored for. */
  readonly unaccounted: number
}

export interface StructLayout {
  readonly bytes: number
  /** Byte offsets; a field of a nested struct is named "outer.inner". */
  readonly fields: Readonly<Record<string, number>>
}

interface NativeRing {
  readonly ended: boolean
  readonly pressure: number
  read(into: Uint8Array): number
  release(security: number, rest: number): void
  setFilter(pids: Uint32Array, comms: readonly string[], cgroups: BigUint64Array): void
  setModes(modeOf: Uint8Array): void
  statistics(): Float64Array
  detach(): Promise<void>
  close(): void
}

interface NativeOptions extends Omit<RingOptions, 'filter'> {
  readonly object: string
  readonly pids: Uint32Array
  readonly comms: readonly string[]
  readonly cgroups: BigUint64Array
}

export interface Addon {
  open(options: NativeOptions): Promise<NativeRing>
  clock(): [bigint, bigint]
  layout(object: string, struct: string): StructLayout
  findUser(name: string): { readonly uid: number; readonly gid: number } | null
  dropBoundingSet(): void
  dropCapabilities(): void
}

let loaded: Addon | undefined

/** @throws RingsideError OS when it is not built */
export const addon = (): Addon => {
  const path = join(buildDir, 'ringside_ring.node')
  try {
    loaded ??= createRequire(import.meta.url)(path) as Addon
    return loaded
  } catch (cause) {
    throw new RingsideError('OS', `cannot load ${path}: ${messageOf(cause)}; build it with: npm run build`, { cause })
  }
}

interface NativeFailure extends Error {
  readonly operation: string
  readonly errno: number
  readonly log: string
}

const isNativeFailure = (error: unknown): error is NativeFailure => error instanceof Error && 'operation' in error

/** The end of the verifier's log is where it says why. */
const lastLines = (log: string): string => log.trimEnd().split('\n').slice(-12).join('\n')

/** libbpf has numbers of its own, which only its message explains. */
const firstLibbpfError = 4000

const toRingsideError = (cause: unknown): unknown => {
  if (!isNativeFailure(cause)) return cause
  const { operation, errno, log, message } = cause
  const what = errno < firstLibbpfError ? `${operation}: ${getSystemErrorName(-errno)}` : message
  if (errno === constants.errno.EPERM) {
    const message = `the kernel refused (${what}): needs CAP_BPF and CAP_PERFMON: run as root; \`ringside doctor\` tells what is in the way`
    return new RingsideError('NO_PERMISSION', message, { cause })
  }
  const details = log === '' ? '' : `\n${lastLines(log)}`
  return new RingsideError('OS', `observing the kernel failed (${what})${details}`, { cause })
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

/** CLOCK_MONOTONIC and CLOCK_REALTIME at the same moment, in nanoseconds. */
export const readClocks = (): { monotonicNs: bigint; wallNs: bigint } => {
  const [monotonicNs, wallNs] = addon().clock()
  return { monotonicNs, wallNs }
}

/**
 * Where the fields of a struct lie, by the type information of a built object.
 * @throws RingsideError OS when the object or the struct is not there
 */
export const readLayout = (struct: string, object = join(buildDir, 'ringside.bpf.o')): StructLayout => {
  try {
    return addon().layout(object, struct)
  } catch (error) {
    throw toRingsideError(error)
  }
}

export class Ring {
  readonly #native: NativeRing

  private constructor(native: NativeRing) {
    this.#native = native
  }

  /**
   * Loads and attaches the programs, off the event loop; events flow when it resolves.
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
    try {
      const sizes = { securityRingBytes, ringBytes }
      return new Ring(await addon().open({ object, ...sizes, callOf, modeOf, ignoreFamily, ...filter }))
    } catch (error) {
      throw toRingsideError(error)
    }
  }

  /**
   * Copies whole records out of the rings, as many as are there and fit, and never blocks: first those of processes
   * and connections, then the others, for which a quarter of the room is kept. Each says in its field `step` how far
   * it moves the place in its ring.
   * @param into room for at least four of the longest record (65,696 bytes), beginning at a multiple of 8
   * @returns bytes filled; 0 when there is nothing to read
   */
  read(into: Uint8Array): number {
    if (into.byteLength < 4 * longestRecordBytes) {
      const message = `${into.byteLength} bytes have no room for four records of ${longestRecordBytes}`
      throw new RingsideError('SOFTWARE', message)
    }
    return this.#native.read(into)
  }

  /**
   * Gives the rings' room before these places back; each is the sum of the steps of a ring's records up to there.
   * @throws RingsideError SOFTWARE when a place lies before what was released or behind what was read
   */
  release(security: number, rest: number): void {
    try {
      this.#native.release(security, rest)
    } catch (cause) {
      const message = `cannot release the rings up to ${security} and ${rest}: not between what was released and read`
      throw new RingsideError('SOFTWARE', message, { cause })
    }
  }

  /** From 0 to 1: what was read and is not released holds this share of its ring, of the fuller one. */
  get pressure(): number {
    return this.#native.pressure
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

  /** @param modeOf by ABI and system call number: enum ringside_mode; 2 × 1024 entries */
  setModes(modeOf: Uint8Array): void {
    requireLength('modeOf', modeOf, callNumbers)
    this.#native.setModes(modeOf)
  }

  /** Of the CPUs that had any event; from mapped memory, without a system call. */
  statistics(): CpuCounters[] {
    const table = this.#native.statistics()
    const columns = 4 + 2 * classCount
    const rows: CpuCounters[] = []
    for (let at = 0; at < table.length; at += columns) {
      const [cpu = 0, before = 0, last = 0, ...counts] = table.subarray(at, at + columns)
      rows.push({
        cpu,
        before,
        last,
        emitted: counts.slice(0, classCount),
        dropped: counts.slice(classCount, 2 * classCount),
        unaccounted: counts[2 * classCount] ?? 0
      })
    }
    return rows
  }

  /** Stops the making of records: when it resolves, what is in the rings is all there will be. */
  async detach(): Promise<void> {
    await this.#native.detach()
  }

  /** Detached, and both rings are read to their end. */
  get ended(): boolean {
    return this.#native.ended
  }

  /** Gives everything back to the kernel; unread records are lost. */
  close(): void {
    this.#native.close()
  }
}
