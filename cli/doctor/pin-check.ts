// Checks the folder in which the edge pins programs and rings: its bpffs, pins of a dead edge, and the edge that holds it.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { mayMount } from '../../producer/privileges.ts'
import { findPinFolder, isBpffs, mountRemedy } from '../../producer/source/pin-folder.ts'
import type { Config } from '../../runtime/config.ts'
import { type Check, type Finding, ok, warn } from './check.ts'

export interface PinFacts {
  readonly folder: string
  readonly isBpffs: boolean
  /** Folder at which the edge mounts a bpffs first; undefined when it may not, or need not. */
  readonly mountAt: string | undefined
  /** Names in the folder; undefined when it cannot be read. */
  readonly pins: readonly string[] | undefined
  /** Pid of the process that holds the folder's lock. */
  readonly holder: number | undefined
}

/** @param pinDir edge.pinDir */
export const findingOf = (pinDir: string, { folder, isBpffs, mountAt, pins, holder }: PinFacts): Finding => {
  const parent = dirname(pinDir)
  if (!isBpffs && mountAt !== undefined) {
    return ok(`${parent} is no bpffs: the edge mounts one at ${mountAt} and pins in ${folder}`)
  }
  if (!isBpffs) return warn(`${parent} is no bpffs: a killed edge leaves nothing to take over`, mountRemedy(parent))
  if (pins === undefined) return warn(`${folder} cannot be read by this user`, 'run doctor as root')
  if (holder !== undefined) return ok(`${folder}: held by a running edge, process ${holder}`)
  if (pins.length === 0) return ok(`${folder} is empty`)
  return warn(
    `${folder}: programs of a dead edge are still attached (${pins.length} pins)`,
    `\`ringside run edge\` takes them over; to discard them: rm -r ${folder}`
  )
}

/** The pid that holds a flock(2) lock of a file, from proc_locks(5). */
export const lockHolder = (locks: string, device: bigint, inode: bigint): number | undefined => {
  // As glibc's makedev(3) packs them.
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

const holderOf = (folder: string): number | undefined => {
  const found = statSync(folder, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : lockHolder(readFileSync('/proc/locks', 'utf8'), found.dev, found.ino)
}

const pinFinding = ({ stateDir, edge: { pinDir } }: Config): Finding => {
  if (pinDir === '') return ok('nothing is pinned: edge.pinDir is empty')
  const { path: folder, mountAt } = findPinFolder(pinDir, stateDir)
  if (isBpffs(dirname(folder))) {
    return findingOf(pinDir, { folder, isBpffs: true, mountAt, pins: namesIn(folder), holder: holderOf(folder) })
  }
  const mounts = mayMount() ? mountAt : undefined
  return findingOf(pinDir, { folder, isBpffs: false, mountAt: mounts, pins: [], holder: undefined })
}

export const pinCheck = (config: Config): Check => ({ name: 'pins', run: () => pinFinding(config) })
