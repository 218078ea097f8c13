// Options of a ring, validated here: the addon assumes valid ones.
import { abis, commSize, nrMax } from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import type { NativeOptions } from './addon.ts'

const callNumbers = abis.length * nrMax
const commMaxBytes = commSize - 1

/** An empty list passes every task; a task must be in all lists that are not empty. */
export interface RingFilter {
  /** Thread group ids in the initial pid namespace. */
  readonly pids: readonly number[]
  /** Names of threads, at most 15 bytes. */
  readonly comms: readonly string[]
  /** Ids of v2 cgroups; the cgroups below them match too. */
  readonly cgroups: readonly bigint[]
}

export interface RingOptions {
  /** Path of the built BPF object; build/ringside.bpf.o by default. */
  readonly object?: string
  /** Size of the ring for exec, fork and exit: a power of two, and a multiple of the page size. */
  readonly processRingBytes: number
  /** Size of the ring for other events of the classes process and network: a power of two, and a multiple of the page size. */
  readonly securityRingBytes: number
  /** Size of the ring for all other events: a power of two, and a multiple of the page size. */
  readonly ringBytes: number
  /** Indexed by ABI and call number: enum ringside_call, 0 for no such call; abis.length × nrMax entries. */
  readonly callOf: Uint8Array
  /** Indexed by ABI and call number: enum ringside_mode; abis.length × nrMax entries. */
  readonly modeOf: Uint8Array
  /** Events that a process may emit per second; beyond them its calls are counted. 0, the default: no bound. */
  readonly processEvents?: number
  readonly filter: RingFilter
  /** Exclude this process's parent and all children of the parent. */
  readonly ignoreFamily: boolean
  /** Folder of a bpffs for the pins; '' (the default): programs and rings end with this process. */
  readonly pinDir?: string
  /** The user that removes the pins, if this process changes its user. */
  readonly pinOwner?: { readonly uid: number; readonly gid: number } | undefined
  /** Let the kernel measure the run time of the programs, which adds a little to each run. */
  readonly measureCost?: boolean
  /** Add the stack to emitted calls of processes that are marked by markGo. */
  readonly goFunctions?: boolean
}

const invalid = (message: string): RingsideError => new RingsideError('CONFIG', message)

const requireRingSize = (bytes: number): void => {
  if (!Number.isInteger(bytes) || bytes < 4096 || bytes > 2 ** 30 || (bytes & (bytes - 1)) !== 0) {
    throw invalid(`a ring of ${bytes} bytes is not possible: it must be a power of two from 4096 to 2^30`)
  }
}

/** @throws RingsideError CONFIG */
export const requireCallTable = (name: string, table: Uint8Array): void => {
  if (table.length !== callNumbers) {
    throw invalid(`${name} has ${table.length} entries; it must have ${callNumbers}`)
  }
}

/** @throws RingsideError CONFIG */
export const requireProcessEvents = (perSecond: number): void => {
  if (Number.isInteger(perSecond) && perSecond >= 0 && perSecond < 2 ** 31) return
  throw invalid(`${perSecond} events per second of a process is not a whole number from 0 to 2^31 - 1`)
}

/** @throws RingsideError CONFIG */
export const toNativeFilter = (filter: RingFilter): Pick<NativeOptions, 'pids' | 'comms' | 'cgroups'> => {
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

/** @throws RingsideError CONFIG */
export const toNativeOptions = (options: RingOptions): Omit<NativeOptions, 'object' | 'hash'> => {
  const { processRingBytes, securityRingBytes, ringBytes, callOf, modeOf, ignoreFamily } = options
  const { processEvents = 0, pinDir = '', pinOwner, measureCost = false, goFunctions = false } = options
  const sizes = { processRingBytes, securityRingBytes, ringBytes }
  Object.values(sizes).forEach(requireRingSize)
  requireCallTable('callOf', callOf)
  requireCallTable('modeOf', modeOf)
  const filter = toNativeFilter(options.filter)
  requireProcessEvents(processEvents)
  const tables = { callOf, modeOf, processEvents }
  return { ...sizes, ...tables, ignoreFamily, ...filter, pinDir, pinOwner, measureCost, goFunctions }
}
