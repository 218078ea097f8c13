// The interface of the addon, and its failures as errors that name the remedy.
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { getSystemErrorName } from 'node:util'
import { messageOf, RingsideError } from '../../runtime/errors.ts'

/** Output folder of scripts/build.sh. */
export const buildDir = join(import.meta.dirname, '..', '..', 'build')

export interface StructLayout {
  readonly bytes: number
  /** Byte offsets; a field of a nested struct is named "outer.inner". */
  readonly fields: Readonly<Record<string, number>>
}

/** Types of bpf/event.h by their names in C, and class_of_call of bpf/calls.h. */
export interface Contract {
  readonly structs: Readonly<Record<string, StructLayout>>
  /** Values of constants. */
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly classOfCall: Uint8Array
}

/** An account as numbers: marks, batch, declared and events by class; then pairs of cpu and seq. */
export interface NativeAccount {
  readonly table: Float64Array
  readonly run: string
}

/** Calls of one process that were counted beyond its bound. */
export interface LimitedCalls {
  readonly pid: number
  readonly startNs: bigint
  readonly comm: string
  readonly isCompat: boolean
  readonly nr: number
  readonly count: number
}

export interface NativeRing {
  readonly ended: boolean
  readonly pressure: number
  read(into: Uint8Array): number
  readonly begin: Float64Array
  readonly previous: NativeAccount | null
  readonly notes: readonly string[]
  readonly unsupported: readonly string[]
  readonly ringBytes: Float64Array
  release(table: Float64Array, run: string): void
  summarize(): Promise<boolean>
  limited(): readonly LimitedCalls[]
  programTimeNs(): number | undefined
  setFilter(pids: Uint32Array, comms: readonly string[], cgroups: BigUint64Array): void
  setModes(modeOf: Uint8Array): void
  setProcessEvents(perSecond: number): void
  markGo(pid: number, startNs: bigint, execId: number): boolean
  unmarkGo(pid: number, startNs: bigint, execId: number): void
  statistics(): Float64Array
  detach(): Promise<void>
  close(): void
}

export interface NativeOptions {
  readonly object: string
  /** SHA-256 of the object. */
  readonly hash: Uint8Array
  readonly processRingBytes: number
  readonly securityRingBytes: number
  readonly ringBytes: number
  readonly callOf: Uint8Array
  readonly modeOf: Uint8Array
  readonly processEvents: number
  readonly ignoreFamily: boolean
  readonly pinDir: string
  readonly pinOwner?: { readonly uid: number; readonly gid: number } | undefined
  readonly measureCost: boolean
  readonly goFunctions: boolean
  readonly pids: Uint32Array
  readonly comms: readonly string[]
  readonly cgroups: BigUint64Array
}

export interface Addon {
  open(options: NativeOptions): Promise<NativeRing>
  clock(): [bigint, bigint]
  /**
   * Merges groups (struct ringside_group) into records of KIND_SUMMARY, with seqs from seqBefore + 1.
   * @param groups starts at a multiple of 8
   * @param timeNs CLOCK_MONOTONIC at the end of the interval of durationNs
   */
  summarize(groups: Uint8Array, seqBefore: number, timeNs: number, durationNs: number): Uint8Array
  contract(object: string): Contract
  findUser(name: string): { readonly uid: number; readonly gid: number } | null
  dropBoundingSet(): void
  keepCapabilities(): void
  /** @param kept a bit set of the capabilities to keep, numbered as in linux/capability.h */
  dropCapabilities(kept: bigint): void
  /** Mounts a bpffs at a folder of this process's user, unless one is mounted there. Needs CAP_SYS_ADMIN. */
  mountBpffs(folder: string): void
}

let loaded: Addon | undefined

/** @throws RingsideError OS if it is not built */
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

/** The verifier's log ends with the reason. */
const lastLines = (log: string): string => log.trimEnd().split('\n').slice(-12).join('\n')

/** libbpf's own error numbers start here; only its message explains them. */
const firstLibbpfError = 4000

/** @returns `cause` itself unless it is a failure of the addon */
export const toRingsideError = (cause: unknown): unknown => {
  if (!isNativeFailure(cause)) return cause
  const { operation, errno, log, message } = cause
  const failed = errno < firstLibbpfError ? `${operation}: ${getSystemErrorName(-errno)}` : message
  if (errno === constants.errno.EPERM) {
    const message = `the kernel refused (${failed}): needs CAP_BPF and CAP_PERFMON: run as root; \`ringside doctor\` finds the cause`
    return new RingsideError('NO_PERMISSION', message, { cause })
  }
  const details = log === '' ? '' : `\n${lastLines(log)}`
  return new RingsideError('OS', `observing the kernel failed (${failed})${details}`, { cause })
}
