// Names of all calls by architecture, ABI and number: system calls (syscalls.tsv) and io_uring operations.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { abi, type KnownCall, knownCall, nrMax, nrUring } from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { callOfUringOperation } from './uring-calls.ts'
import { uringOperations } from './uring-operations.ts'

export interface NamedCall {
  /** The same in every ABI; an io_uring operation's begins with "io_uring_". */
  readonly name: string
  readonly call: KnownCall
}

/** By number, nrMax entries. */
export type CallNumbers = readonly NamedCall[]

/** Columns of syscalls.tsv by architecture, as process.arch names it, then ABI, native first. */
const columnsOf: Readonly<Record<string, readonly (readonly string[])[]>> = {
  x64: [['x64', 'x32'], ['i386']],
  arm64: [['arm64'], ['arm']]
}

/** Second numbers of a call in 32-bit ABIs, for 64-bit times. */
const sameAs: Readonly<Record<string, KnownCall>> = { recvmmsg_time64: 'recvmmsg' }

const readSyscalls = (): { columns: ReadonlyMap<string, ReadonlyMap<number, string>>; names: readonly string[] } => {
  const lines = readFileSync(join(import.meta.dirname, 'syscalls.tsv'), 'utf8').split('\n')
  const [titles = [], ...rows] = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))
  const columns = titles.slice(1).map((title, index) => {
    const numbered = rows.filter((row) => row[index + 1] !== '-')
    return [title, new Map(numbered.map((row) => [Number(row[index + 1]), row[0] as string]))] as const
  })
  return { columns: new Map(columns), names: rows.map((row) => row[0] as string) }
}

const { columns, names: systemCalls } = readSyscalls()

const nameOfOperation = (operation: string): string => `io_uring_${operation}`

/** Every name that a configuration may use: system calls of all architectures, and io_uring operations. */
export const configurableCalls: readonly string[] = [...systemCalls, ...uringOperations.map(nameOfOperation)]

const isKnown = (name: string): name is KnownCall =>
  name !== 'none' && name !== 'other' && Object.hasOwn(knownCall, name)

/** The known call that a system call is handled as. */
export const knownCallOf = (name: string): KnownCall => (isKnown(name) ? name : (sameAs[name] ?? 'other'))

const systemCall = (name: string): NamedCall => ({ name, call: knownCallOf(name) })

const uringOperation = (index: number): NamedCall => {
  const operation = uringOperations[index]
  if (operation === undefined) return { name: nameOfOperation(`operation_${index}`), call: 'other' }
  return { name: nameOfOperation(operation), call: callOfUringOperation[operation] ?? 'other' }
}

/** Every number has an entry: a newer kernel may have calls that syscalls.tsv lacks. */
const numbersOf = (titles: readonly string[]): CallNumbers =>
  Array.from({ length: nrMax }, (_, number) => {
    if (number >= nrUring) return uringOperation(number - nrUring)
    const name = titles.map((title) => columns.get(title)?.get(number)).find((found) => found !== undefined)
    return systemCall(name ?? `syscall_${number}`)
  })

const numbersByArchitecture = new Map<string, readonly CallNumbers[]>()

/**
 * @returns the calls of each ABI by number, in the order of enum ringside_abi
 * @throws RingsideError OS for an architecture without tables
 */
export const callNumbers = (architecture: string): readonly CallNumbers[] => {
  const made = numbersByArchitecture.get(architecture)
  if (made !== undefined) return made
  const titles = columnsOf[architecture]
  if (titles === undefined) {
    const supported = Object.keys(columnsOf).join(', ')
    throw new RingsideError('OS', `no table of system calls for ${architecture}; supported: ${supported}`)
  }
  const numbers = titles.map(numbersOf)
  numbersByArchitecture.set(architecture, numbers)
  return numbers
}

/**
 * The name of a record's call: a system call ("syscall_500" without an entry), or "io_uring_" and an operation.
 * @param nr the record's field nr, less than nrMax
 * @param isCompat the record's flag isCompat
 * @throws RingsideError OS for an architecture without tables
 */
export const callName = (nr: number, isCompat: boolean, architecture: string = process.arch): string =>
  (callNumbers(architecture)[isCompat ? abi.compat : abi.native]?.[nr] ?? systemCall(`syscall_${nr}`)).name
