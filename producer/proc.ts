// Reads from /proc what the kernel's records lack: a process's executable and container.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { containerIdIn } from './container-id.ts'

export interface ProcessFacts {
  /** Clock ticks since boot; identifies the process together with its pid. */
  readonly startTicks: number
  /** null for kernel threads, and without permission. */
  readonly exe: string | null
  readonly containerId: string | null
}

export interface ProcReader {
  /** undefined when there is no such process. */
  read(pid: number): ProcessFacts | undefined
  /** All processes by pid. */
  scan(): Map<number, ProcessFacts>
}

/** USER_HZ, which every Linux has reported to user space since 2.4. */
export const ticksPerSecond = 100

/** @param cgroupFile the contents of /proc/PID/cgroup: hierarchy, controllers and path, separated by colons */
export const containerIdOf = (cgroupFile: string): string | null =>
  containerIdIn(cgroupFile.replace(/^\d+:[^:]*:/gm, ''))

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    // The process has ended, or belongs to another user.
    return undefined
  }
}

/** Field 22 of /proc/PID/stat; the name before it may contain spaces and parentheses. */
const startTicksOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])

/** What the kernel appends to the path of a file that has no name any more (d_path(), fs/d_path.c). */
const deletedSuffix = ' (deleted)'

const isSameFile = (a: string, b: string): boolean => {
  const [one, other] = [a, b].map((path) => attempt(() => statSync(path, { bigint: true })))
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino
}

/**
 * The executable's path as exec events have it: without the kernel's suffix, which a name can have, too. The path of a
 * process in a container begins at that process's root.
 * @param process its folder in procfs
 */
const exeOf = (process: string): string | null => {
  const exe = `${process}/exe`
  const path = attempt(() => readlinkSync(exe)) ?? null
  if (path === null || !path.endsWith(deletedSuffix)) return path
  const isItsName = isSameFile(exe, path) || isSameFile(exe, `${process}/root${path}`)
  return isItsName ? path : path.slice(0, -deletedSuffix.length)
}

/** @param root mount point of procfs */
export const procReader = (root = '/proc'): ProcReader => {
  const read = (pid: number): ProcessFacts | undefined => {
    const stat = attempt(() => readFileSync(`${root}/${pid}/stat`, 'utf8'))
    if (stat === undefined) return undefined
    const cgroup = attempt(() => readFileSync(`${root}/${pid}/cgroup`, 'utf8'))
    return {
      startTicks: startTicksOf(stat),
      exe: exeOf(`${root}/${pid}`),
      containerId: cgroup === undefined ? null : containerIdOf(cgroup)
    }
  }
  const scan = (): Map<number, ProcessFacts> => {
    const processes = new Map<number, ProcessFacts>()
    for (const name of attempt(() => readdirSync(root)) ?? []) {
      if (!/^\d+$/.test(name)) continue
      const facts = read(Number(name))
      if (facts !== undefined) processes.set(Number(name), facts)
    }
    return processes
  }
  return { read, scan }
}

export const absentProc: ProcReader = { read: () => undefined, scan: () => new Map() }

/** PROC_PID_INIT_INO (include/linux/proc_ns.h): events carry pids of this namespace. */
const initialPidNamespace = 'pid:[4026531836]'

/**
 * @param boot boot id of the events
 * @returns this machine's /proc if its pids are those of the events, otherwise an empty one
 */
export const procOf = (boot: string): ProcReader => {
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'))
  return boot === bootId() && namespace === initialPidNamespace ? procReader() : absentProc
}

/** Id of this boot; undefined without /proc. */
export const bootId = (): string | undefined =>
  attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
