// One `ringside up` a state folder. The lock is SQLite's on a file of the folder: the kernel
// releases it however the process ends, so nothing is ever stale.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf, RingsideError } from '../../runtime/errors.ts'

export interface StateLock {
  /** The run before did not end in order: consumers may have left some of its events unread. */
  readonly previousWasCutOff: boolean
  /** @param inOrder what the next holder is told */
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
 * @throws RingsideError UNAVAILABLE when another process holds it, NO_PERMISSION when the folder cannot be written
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
        `another \`ringside up\` (${readOwner(pidPath)}) uses the state in ${stateDir}: stop it first, or give --state-dir`,
        { cause, canRetry: false }
      )
    }
    throw new RingsideError(
      'NO_PERMISSION',
      `cannot write the state folder ${stateDir}: ${messageOf(cause)}. Give another with --state-dir`,
      { cause }
    )
  }
}
