// What can be called, by ABI and number: the names of all system calls (producer/source/syscalls.tsv) and io_uring operations,
// which of them are known by more (enum ringside_call of bpf/event.h), and what is told of each.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CallMode,
  callEntry,
  callMode,
  classOfCall,
  type EventClass,
  eventClasses,
  type KnownCall,
  knownCall,
  nrMax,
  nrUring
} from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { nearestNames } from '../../runtime/nearest.ts'
import { movesBytes } from '../../wire/bytes-moved.ts'
import { callOfUringOperation } from './uring-calls.ts'
import { uringOperations } from './uring-operations.ts'

/** By name of the call, the same name in every ABI; what is not named does what its class does. */
export type CallModes = Readonly<Record<string, CallMode>>

/** The columns of syscalls.tsv that make the tables of an architecture, as process.arch names it: native, compat. */
const columnsOf: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  x64: [['x64', 'x32'], ['i386']],
  arm64: [['arm64'], ['arm']]
}

const modeOfClass: Readonly<Record<EventClass, CallMode>> = {
  process: 'emit',
  network: 'emit',
  file: 'emit',
  io: 'count'
}

/** Numbers that 32-bit processes have twice: with times of 64 bits too. */
const sameAs: Readonly<Record<string, KnownCall>> = { recvmmsg_time64: 'recvmmsg' }

/** Names by number of each column, and every name that there is. */
const readTable = (): { columns: ReadonlyMap<string, ReadonlyMap<number, string>>; names: readonly string[] } => {
  const lines = readFileSync(join(import.meta.dirname, 'syscalls.tsv'), 'utf8').split('\n')
  const [head = [], ...rows] = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))
  const columns = head.slice(1).map((title, index) => {
    const numbered = rows.filter((row) => row[index + 1] !== '-')
    return [title, new Map(numbered.map((row) => [Number(row[index + 1]), row[0] as string]))] as const
  })
  return { columns: new Map(columns), names: rows.map((row) => row[0] as string) }
}

const { columns, names: systemCalls } = readTable()

const nameOfUring = (operation: string): string => `io_uring_${operation}`

/** Every name that a configuration may use: of all architectures, and of io_uring's operations. */
export const configurableCalls: readonly string[] = [...systemCalls, ...uringOperations.map(nameOfUring)]

interface Callable {
  readonly name: string
  readonly call: KnownCall
}

const isKnown = (name: string): name is KnownCall =>
  name !== 'none' && name !== 'other' && Object.hasOwn(knownCall, name)

const systemCall = (name: string): Callable => ({ name, call: isKnown(name) ? name : (sameAs[name] ?? 'other') })

const uringOperation = (index: number): Callable => {
  const operation = uringOperations[index]
  if (operation === undefined) return { name: nameOfUring(`operation_${index}`), call: 'other' }
  return { name: nameOfUring(operation), call: callOfUringOperation[operation] ?? 'other' }
}

/** One entry for each number: a kernel may know more calls than syscalls.tsv. */
const callablesOf = (titles: readonly string[]): Callable[] =>
  Array.from({ length: nrMax }, (_, number) => {
    if (number >= nrUring) return uringOperation(number - nrUring)
    const name = titles.map((title) => columns.get(title)?.get(number)).find((found) => found !== undefined)
    return systemCall(name ?? `syscall_${number}`)
  })

const tables = new Map<string, readonly [readonly Callable[], readonly Callable[]]>()

/** Native, then compat. */
const abisOf = (architecture: string): readonly [readonly Callable[], readonly Callable[]] => {
  const made = tables.get(architecture)
  if (made !== undefined) return made
  const titles = columnsOf[architecture]
  if (titles === undefined) {
    const known = Object.keys(columnsOf).join(', ')
    throw new RingsideError('OS', `system calls of ${architecture} are not known; known: ${known}`)
  }
  const table = [callablesOf(titles[0]), callablesOf(titles[1])] as const
  tables.set(architecture, table)
  return table
}

const fill = (architecture: string, value: (callable: Callable) => number): Uint8Array =>
  Uint8Array.from(abisOf(architecture).flat(), value)

/**
 * ringside_config.call_of: by ABI and number, 2 × 1024 entries.
 * @param architecture as process.arch names it
 * @throws RingsideError OS when its numbers are not known
 */
export const callTable = (architecture: string = process.arch): Uint8Array =>
  fill(architecture, ({ name, call }) => knownCall[call] | (movesBytes.has(name) ? callEntry.movesBytes : 0))

const none: ReadonlySet<EventClass> = new Set()

/**
 * ringside_config.mode_of: by ABI and number, 2 × 1024 entries.
 * @param chosen by name; the rest emits in the classes process, network and file, and counts in io
 * @param reduced classes of which calls that would emit are counted
 * @throws RingsideError CONFIG with every unknown name, OS when the architecture's numbers are not known
 */
export const modeTable = (
  chosen: CallModes,
  reduced: ReadonlySet<EventClass> = none,
  architecture: string = process.arch
): Uint8Array => {
  const unknown = Object.keys(chosen).filter((name) => !configurableCalls.includes(name))
  if (unknown.length > 0) {
    const problems = unknown.map((name) => `"${name}" (near it: ${nearestNames(name, configurableCalls).join(', ')})`)
    throw new RingsideError('CONFIG', `no system call or io_uring operation: ${problems.join('; ')}`)
  }
  return fill(architecture, ({ name, call }) => {
    const eventClass = classOfCall[call]
    const mode = chosen[name] ?? chosen[sameAs[name] ?? ''] ?? modeOfClass[eventClass]
    return callMode[mode === 'emit' && reduced.has(eventClass) ? 'count' : mode]
  })
}

/** Classes of which a call emits: what there is to reduce. */
export const emittingClasses = (chosen: CallModes, architecture: string = process.arch): EventClass[] => {
  const whole = Buffer.from(modeTable(chosen, none, architecture))
  return eventClasses.filter((name) => !whole.equals(modeTable(chosen, new Set([name]), architecture)))
}

/**
 * What the number of a record stands for: the name of a system call ("syscall_500" when it has none here), or
 * "io_uring_" and an operation.
 * @param nr the record's field nr: less than 1024
 * @param isCompat its flag RINGSIDE_IS_COMPAT
 * @throws RingsideError OS when the architecture's numbers are not known
 */
export const callName = (nr: number, isCompat: boolean, architecture: string = process.arch): string =>
  (abisOf(architecture)[isCompat ? 1 : 0][nr] ?? systemCall(`syscall_${nr}`)).name
