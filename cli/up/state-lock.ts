// Allows one `ringside up` for each state folder. The lock is SQLite's on a file in the folder: the kernel releases it
// however the process ends.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { cannotWrite, messageOf, RingsideError } from '../../runtime/errors.ts'

export interface StateLock {
  /** The previous run was killed: consumers may have left unread events. */
  readonly previousWasCutOff: boolean
  /** @param inOrder false sets previousWasCutOff of the next holder */
  release(inOrder: boolean): void
}

const readOwner = (path: string): string => {
  try {
    return `pid ${readFileSync(path, 'utf8').trim()}`
  } catch {
    return 'pid unknown'
  }
}

/**
 * @throws RingsideError UNAVAILABLE when another process holds the lock, NO_PERMISSION or IO when the folder is not writable
 */
export const lockState = (stateDir: string): StateLock => {
  const pidPath = join(stateDir, 'up.pid')
  let database: DatabaseSync | undefined
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    database = new DatabaseSync(join(stateDir, 'up.lock'))
    database.exec('BEGIN EXCLUSIVE')
    const previousWasCutOff = existsSync(pidPath)
    writeFileSync(pidPath, `${process.pid}\n`)
    const held = database
    return {
      previousWasCutOff,
      release: (inOrder) => {
        if (inOrder) rmSync(pidPath, { force: true })
        held.close()
      }
    }
  } catch (cause) {
    database?.close()
    if (messageOf(cause).includes('locked')) {
      throw new RingsideError(
        'UNAVAILABLE',
        `another \`ringside up\` (${readOwner(pidPath)}) uses the state folder ${stateDir}: stop it, or choose another folder with --state-dir`,
        { cause, canRetry: false }
      )
    }
    throw cannotWrite(`to state folder ${stateDir}`, cause, 'choose another folder with --state-dir')
  }
}
