// The running kernel as a source: raw records of this host, from the programs in bpf/ through their rings.
import { readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { type CpuCounters, Ring, type RingFilter, type RingOptions, readClocks } from '../native/ring/ring.ts'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import type { EventClass } from '../wire/types.ts'
import { eventClasses, summaryCpu } from './raw-event.ts'
import type { Account, ClockReading, Mark, Source, SourceStatistics } from './source.ts'
import { type CallModes, callTable, modeTable } from './syscall-table.ts'

/** Empty: all pass. What is not empty must all be met. */
export interface LiveFilter {
  /** Thread group ids in the initial pid namespace. */
  readonly pids: readonly number[]
  /** Names of threads, at most 15 bytes. */
  readonly comms: readonly string[]
  /** v2 cgroups, as paths below the mount point or whole; what lies below them matches too. */
  readonly cgroups: readonly string[]
}

export interface LiveSourceOptions extends LiveFilter {
  /** Of the ring for processes and connections: a power of two, at least a page. */
  readonly securityRingBytes: number
  /** Of the ring for the rest; likewise. */
  readonly ringBytes: number
  /** By name of the call; what is not named does what its class does. */
  readonly calls: CallModes
  /** Observe neither this process's parent nor any of the parent's children: the rest of `ringside up`. */
  readonly ignoreFamily: boolean
  /** Folder of a bpffs for what is to outlive this process; '' or undefined: nothing is. */
  readonly pinDir?: string
  /** Who will remove the pins, if this process becomes another user. */
  readonly pinOwner?: RingOptions['pinOwner']
  /** Have the kernel measure what the programs cost, which costs a little with each run. */
  readonly measureCost?: boolean
}

export interface LiveSource extends Source {
  /** Takes the place of the filter there was, at once. */
  setFilter(filter: LiveFilter): void
  /** For the log: what was taken over or could not be, why nothing is pinned, what this kernel has no place for. */
  readonly notes: readonly string[]
  /** Nanoseconds that the programs have run, on all CPUs; undefined unless it is measured. */
  programTimeNs(): number | undefined
