// The system calls that are observed: native number → enum ringside_call of bpf/event.h, by
// architecture (arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h for arm64,
// which has neither open nor dup2).
import { RingsideError } from '../runtime/errors.ts'
import { type CallName, callNames } from './raw-event.ts'

type Numbers = Partial<Record<CallName, number>>

const numbers: Record<string, Numbers> = {
  x64: {
    read: 0,
    write: 1,
    open: 2,
    close: 3,
    dup2: 33,
    connect: 42,
    accept: 43,
    sendto: 44,
    sendmsg: 46,
    bind: 49,
    listen: 50,
    execve: 59,
    openat: 257,
    accept4: 288,
    dup3: 292,
    execveat: 322,
    openat2: 437
  },
  arm64: {
    dup3: 24,
    openat: 56,
    close: 57,
    read: 63,
    write: 64,
    bind: 200,
    listen: 201,
    accept: 202,
    connect: 203,
    sendto: 206,
    sendmsg: 211,
    execve: 221,
    accept4: 242,
    execveat: 281,
    openat2: 437
  }
}

/** RINGSIDE_ABI_COUNT × RINGSIDE_NR_MAX. */
const tableBytes = 2 * 1024

const numbersOf = (architecture: string): Numbers => {
  const known = numbers[architecture]
  if (known !== undefined) return known
  const message = `system calls of ${architecture} are not known; known: ${Object.keys(numbers).join(', ')}`
  throw new RingsideError('OS', message)
}

/** The names a configuration may use: every observed call of any architecture. */
export const observedCalls: readonly CallName[] = callNames.filter((name) => numbers['x64']?.[name] !== undefined)

/**
 * ringside_config.call_of for an architecture as process.arch names it.
 * @throws RingsideError OS when its numbers are not known
 */
export const callTable = (architecture: string = process.arch): Uint8Array => {
  const table = new Uint8Array(tableBytes)
  for (const [name, number] of Object.entries(numbersOf(architecture))) {
    table[number] = callNames.indexOf(name as CallName)
  }
  return table
}

/**
 * ringside_config.mode_of from modes by name; what is not named emits.
 * @throws RingsideError CONFIG with every unknown name, OS when the architecture's numbers are not known
 */
export const modeTable = (
  modes: Readonly<Record<string, 'emit' | 'off'>>,
  architecture: string = process.arch
): Uint8Array => {
  const unknown = Object.keys(modes).filter((name) => !observedCalls.includes(name as CallName))
  if (unknown.length > 0) {
    const message = `not among the observed calls: ${unknown.join(', ')}; there are: ${observedCalls.join(', ')}`
    throw new RingsideError('CONFIG', message)
  }
  const table = new Uint8Array(tableBytes)
  for (const [name, number] of Object.entries(numbersOf(architecture))) table[number] = modes[name] === 'off' ? 0 : 1
  return table
}
