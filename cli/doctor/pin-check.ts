// Whether an edge left its programs and rings behind: what is pinned below edge.pinDir, and whether anybody holds it.
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Check, type Finding, ok, warn } from './check.ts'

/** BPF_FS_MAGIC, include/uapi/linux/magic.h */
const bpffsMagic = 0xcafe4a11

export interface PinFacts {
  readonly folder: string
  readonly isBpffs: boolean
  /** Names in the folder; undefined when it cannot be read. */
  readonly pins: readonly string[] | undefined
  /** Process that holds the folder's lock. */
  readonly holder: number | undefined
}

export const findingOf = ({ folder, isBpffs, pins, holder }: PinFacts): Finding => {
  const parent = dirname(folder)
  if (!isBpffs) {
    const lost = 'an edge that is killed leaves nothing to go on from'
    return warn(`${parent} is no bpffs: ${lost}`, `mount one: mount -t bpf -o mode=700 bpf ${parent}`)
  }
  if (pins === undefined) return warn(`${folder} cannot be read by this user`, 'run doctor as root')
  if (holder !== undefined) return ok(`${folder}: held by an edge that runs, process ${holder}`)
  if (pins.length === 0) return ok(`nothing is left in ${folder}`)
  return warn(
    `${folder}: programs and rings of an edge that is gone, and still observe (${pins.length} pins)`,
    `\`ringside run edge\` goes on where it stopped; to give up what it had: rm -r ${folder}`
  )
}

/** The process that holds a lock of a file with flock(2), by the lines of proc_locks(5). */
export const lockHolder = (locks: string, device: bigint, inode: bigint): number | undefined => {
  // makedev(3): as glibc packs them.
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn)
  const hex = (number: bigint): string => number.toString(16).padStart(2, '0')
  const file = `${hex(major)}:${hex(minor)}:${inode}`
  for (const line of locks.split('\n')) {
    const [, kind, , , pid, where] = line.trim().split(/\s+/)
    if (kind === 'FLOCK' && where === file) return Number(pid)
  }
  return undefined
}

const namesIn = (folder: string): string[] | undefined => {
  try {
    return readdirSync(folder)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : undefined
  }
}

const isBpffs = (folder: string): boolean => {
  try {
    return statfsSync(folder).type === bpffsMagic
  } catch {
    return false
  }
}

const holderOf = (folder: string): number | undefined => {
  const found = statSync(folder, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : lockHolder(readFileSync('/proc/locks', 'utf8'), found.dev, found.ino)
}

const look = (folder: string): Finding => {
  if (folder === '') return ok('none are kept: edge.pinDir is empty')
  const mounted = isBpffs(dirname(folder))
  if (!mounted) return findingOf({ folder, isBpffs: false, pins: [], holder: undefined })
  return findingOf({ folder, isBpffs: true, pins: namesIn(folder), holder: holderOf(folder) })
}

/** @param folder edge.pinDir */
export const pinCheck = (folder: string): Check => ({ name: 'pins', look: () => look(folder) })
