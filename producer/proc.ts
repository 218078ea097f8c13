// What /proc knows of a process and the kernel's records do not: its executable and its container.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface ProcessFacts {
  /** When the process began, in clock ticks since boot: with pid, its identity. */
  readonly startTicks: number
  /** null for kernel threads, and where permission is missing. */
  readonly exe: string | null
  readonly containerId: string | null
}

export interface ProcReader {
  /** undefined when there is no such process now. */
  read(pid: number): ProcessFacts | undefined
  /** Every process there is now. */
  scan(): Map<number, ProcessFacts>
}

/** USER_HZ, which every Linux has reported to user space since 2.4. */
export const ticksPerSecond = 100

/** Docker, containerd, CRI-O and Podman all name a container's cgroup by its 64 hex digits. */
const containerPattern = /(?:^|[/:.-])([0-9a-f]{64})(?=$|[/.])/

/** @param cgroup a cgroup's name or path, or a line of /proc/PID/cgroup */
export const containerIdIn = (cgroup: string): string | null => containerPattern.exec(cgroup)?.[1] ?? null

export const containerIdOf = (cgroupFile: string): string | null => {
  for (const line of cgroupFile.split('\n')) {
    const id = containerIdIn(line)
    if (id !== null) return id
  }
  return null
}

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    // The process ended, or is another user's: either way nothing is known.
    return undefined
  }
}

/** Field 22 of /proc/PID/stat; the name before it may hold spaces and parentheses. */
const startTicksOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])

/** @param root where procfs is mounted */
export const procReader = (root = '/proc'): ProcReader => {
  const read = (pid: number): ProcessFacts | undefined => {
    const stat = attempt(() => readFileSync(`${root}/${pid}/stat`, 'utf8'))
    if (stat === undefined) return undefined
    const exe = attempt(() => readlinkSync(`${root}/${pid}/exe`))
    const cgroup = attempt(() => readFileSync(`${root}/${pid}/cgroup`, 'utf8'))
    return {
      startTicks: startTicksOf(stat),
      exe: exe?.replace(/ \(deleted\)$/, '') ?? null,
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

/** PROC_PID_INIT_INO (include/linux/proc_ns.h): events carry the ids of this namespace. */
const initialPidNamespace = 'pid:[4026531836]'

/**
 * @param boot where the events come from
 * @returns this machine's /proc if its process ids are those of the events, else one that knows nothing
 */
export const procOf = (boot: string): ProcReader => {
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'))
  return boot === bootId() && namespace === initialPidNamespace ? procReader() : absentProc
}

/** Id of this boot, or undefined where /proc is not mounted. */
export const bootId = (): string | undefined =>
  attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
