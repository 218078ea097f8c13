// Drops, for good, the privileges that only loading and attaching need. Afterwards the privileges of every thread are
// read back from the kernel, so that none is kept by mistake.
import { readdirSync, readFileSync } from 'node:fs'
import { type Addon, addon } from '../native/ring/addon.ts'
import { messageOf, RingsideError } from '../runtime/errors.ts'

export interface User {
  readonly uid: number
  readonly gid: number
}

interface Expectation extends User {
  /** False when the process may not change them. */
  readonly noGroups: boolean
  readonly noBoundingSet: boolean
  /** Capabilities that stay permitted and effective. */
  readonly kept: bigint
}

// include/uapi/linux/capability.h
const capSetgid = 6n
const capSetuid = 7n
const capSetpcap = 8n
const capSysPtrace = 19n
const capSysAdmin = 21n

/** The value of a line of proc_pid_status(5). */
const fieldOf = (status: string, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(status)?.[1] ?? 'missing'

const has = (status: string, capability: bigint): boolean =>
  (BigInt(`0x${fieldOf(status, 'CapEff')}`) & (1n << capability)) !== 0n

/** True when this process may mount a file system: it has CAP_SYS_ADMIN, as root outside of containers. */
export const mayMount = (): boolean => has(readFileSync('/proc/self/status', 'utf8'), capSysAdmin)

/** The privileges in a thread's /proc/PID/status beyond the expected ones, as "Name: value". */
export const privilegesLeft = (status: string, expected: Expectation): string[] => {
  const emptySets = ['CapInh', 'CapAmb', ...(expected.noBoundingSet ? ['CapBnd'] : [])]
  const kept = expected.kept.toString(16)
  const wanted: readonly (readonly [string, RegExp])[] = [
    ['Uid', new RegExp(`^${expected.uid}(\\s${expected.uid}){3}$`)],
    ['Gid', new RegExp(`^${expected.gid}(\\s${expected.gid}){3}$`)],
    ...(expected.noGroups ? ([['Groups', /^$/]] as const) : []),
    ...emptySets.map((name) => [name, /^0+$/] as const),
    ...['CapPrm', 'CapEff'].map((name) => [name, new RegExp(`^0*${kept}$`)] as const),
    ['NoNewPrivs', /^1$/]
  ]
  return wanted
    .map(([name, pattern]) => ({ name, value: fieldOf(status, name), pattern }))
    .filter(({ value, pattern }) => !pattern.test(value))
    .map(({ name, value }) => `${name}: ${value}`)
}

const verify = (expected: Expectation): void => {
  for (const thread of readdirSync('/proc/self/task')) {
    const left = privilegesLeft(readFileSync(`/proc/self/task/${thread}/status`, 'utf8'), expected)
    if (left.length === 0) continue
    throw new RingsideError('OS', `thread ${thread} still has privileges after the drop: ${left.join(', ')}`)
  }
}

const findUser = (name: string, native: Addon): User => {
  const user = native.findUser(name)
  if (user === null) {
    throw new RingsideError(
      'CONFIG',
      `edge.user: there is no user "${name}"; set it to an existing user, or to "" to stay root`
    )
  }
  if (user.uid === 0) {
    throw new RingsideError('CONFIG', `edge.user: "${name}" is root; set it to another user, or to "" to stay root`)
  }
  return user
}

/**
 * The user that root becomes after the drop; undefined when the process keeps its user.
 * @throws RingsideError CONFIG (no such user, or root)
 */
export const futureUser = (userName: string): User | undefined =>
  userName === '' || process.geteuid?.() !== 0 ? undefined : findUser(userName, addon())

const become = ({ uid, gid }: User): void => {
  // glibc changes all threads.
  process.setgroups?.([])
  process.setgid?.(gid)
  process.setuid?.(uid)
}

/**
 * Checks the drop before anything is loaded.
 * @param userName the user that root becomes, without supplementary groups and capabilities. Another user keeps its
 * identity and loses its capabilities. Empty: nothing is dropped
 * @param readsExecutables keeps CAP_SYS_PTRACE, which reading other users' processes needs
 * @returns drops the privileges and returns a line for the log; throws RingsideError OS when any is left
 * @throws RingsideError CONFIG (no such user, or root), NO_PERMISSION (may not become another user)
 */
export const preparePrivilegeDrop = (userName: string, readsExecutables = false): (() => string) => {
  if (userName === '') return () => 'keeping all privileges, because edge.user is empty'
  const native = addon()
  const status = readFileSync('/proc/self/status', 'utf8')
  const noBoundingSet = has(status, capSetpcap)
  const isRoot = process.geteuid?.() === 0
  const kept = readsExecutables && has(status, capSysPtrace) ? 1n << capSysPtrace : 0n
  if (isRoot && !(has(status, capSetuid) && has(status, capSetgid))) {
    const remedy = 'add them, start as another user, or set edge.user to "" to stay root'
    throw new RingsideError(
      'NO_PERMISSION',
      `edge.user: root cannot become "${userName}" without CAP_SETUID and CAP_SETGID: ${remedy}`
    )
  }
  const user = isRoot ? findUser(userName, native) : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const who = isRoot ? `user ${userName} (${user.uid}:${user.gid})` : `user ${user.uid}, unchanged`
  return () => {
    try {
      native.dropBoundingSet()
      if (kept !== 0n) native.keepCapabilities()
      if (isRoot) become(user)
      native.dropCapabilities(kept)
    } catch (cause) {
      throw new RingsideError('OS', `cannot drop privileges to ${who}: ${messageOf(cause)}`, { cause })
    }
    verify({ ...user, noGroups: isRoot, noBoundingSet, kept })
    const left =
      kept === 0n ? 'no capability' : 'no capability but CAP_SYS_PTRACE, for reading the programs of Go processes'
    return `privileges dropped: ${who}, ${left}, no new privileges`
  }
}
