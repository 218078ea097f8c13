// The folder in which programs and rings are pinned: edge.pinDir if it is in a bpffs, else a folder of the same name in
// a bpffs that Ringside mounts.
import { accessSync, constants, mkdirSync, readdirSync, statfsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { addon } from '../../native/ring/addon.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { mayMount } from '../privileges.ts'

/** BPF_FS_MAGIC, include/uapi/linux/magic.h */
const bpffsMagic = 0xcafe4a11

export interface PinFolder {
  readonly path: string
  /** Folder at which a bpffs must be mounted first; undefined if `path` is in one, or none can be mounted. */
  readonly mountAt?: string
}

/** The machine's folders, for the choice. */
export interface Folders {
  isBpffs(folder: string): boolean
  /** Names in a folder; none if it is missing or cannot be read. */
  namesIn(folder: string): readonly string[]
  /** True if the folder can be created, or exists and is empty. */
  canMount(folder: string): boolean
}

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** For the log: how to get a bpffs. */
export const mountRemedy = (folder: string): string =>
  `run the edge as root, which mounts one; or mount -t bpf -o mode=700 bpf ${folder}`

export const isBpffs = (folder: string): boolean => {
  try {
    return statfsSync(folder).type === bpffsMagic
  } catch {
    return false
  }
}

const canMount = (folder: string): boolean => {
  try {
    return readdirSync(folder).length === 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false
  }
  try {
    accessSync(dirname(folder), constants.W_OK)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && canMount(dirname(folder))
  }
}

const machine: Folders = { isBpffs, namesIn, canMount }

/**
 * Chooses the folder; mounts nothing.
 * @param pinDir edge.pinDir, not empty
 */
export const findPinFolder = (pinDir: string, stateDir: string, folders: Folders = machine): PinFolder => {
  const name = basename(pinDir)
  // /run is emptied by a reboot, as a bpffs is. Where /run is read-only, the state folder is writable.
  const mounts = ['/run/ringside/bpf', join(stateDir, 'bpf')]
  const mounted = mounts.filter((mount) => folders.isBpffs(mount)).map((mount) => join(mount, name))
  // Pins of a dead edge come first: a bpffs mounted at edge.pinDir since then has none.
  const left = mounted.find((folder) => folders.namesIn(folder).length > 0)
  if (left !== undefined) return { path: left }
  if (folders.isBpffs(dirname(pinDir))) return { path: pinDir }
  if (mounted[0] !== undefined) return { path: mounted[0] }
  const mountAt = mounts.find((mount) => folders.canMount(mount))
  return mountAt === undefined ? { path: pinDir } : { path: join(mountAt, name), mountAt }
}

/**
 * Chooses the folder and mounts the bpffs that it needs, before privileges are dropped.
 * @param pinDir edge.pinDir
 * @returns '' when nothing can be pinned
 */
export const preparePinFolder = (pinDir: string, stateDir: string, log: Log): string => {
  if (pinDir === '') return ''
  const { path, mountAt } = findPinFolder(pinDir, stateDir)
  if (mountAt === undefined) return path
  const parent = dirname(pinDir)
  const lost = `${parent} is no bpffs, a killed edge leaves nothing to take over`
  if (!mayMount()) {
    log.warn(`${lost}: ${mountRemedy(parent)}`)
    return ''
  }
  try {
    mkdirSync(mountAt, { recursive: true })
    addon().mountBpffs(mountAt)
    log.info({ pinDir: path }, `${parent} is no bpffs, mounted one at ${mountAt}`)
    return path
  } catch (error) {
    log.warn(`${lost}: ${messageOf(error)}; ${mountRemedy(parent)}`)
    return ''
  }
}
