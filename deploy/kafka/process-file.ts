// Which Kafka belongs to a state folder: a note of its process and of the process that started it,
// held against /proc, so that a number used again is never taken for ours.
import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../../runtime/errors.ts'

interface Note {
  readonly pid: number
  readonly owner: number
  /** Clock ticks after boot at which the owner started: with the pid, its identity. */
  readonly ownerStart: string
}

const pollMs = 25

/** @returns field 22 of /proc/PID/stat; undefined when there is no such process, or only its zombie */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

const isKafkaOf = (pid: number, propertiesPath: string): boolean => {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return args.includes('kafka.Kafka') && args.includes(propertiesPath)
  } catch {
    return false
  }
}

const readNote = async (path: string): Promise<Note | undefined> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Note
  } catch {
    return undefined
  }
}

export const writeNote = async (path: string, pid: number): Promise<void> => {
  const note: Note = { pid, owner: process.pid, ownerStart: startOf(process.pid) ?? '' }
  await writeFile(path, JSON.stringify(note))
}

/** @returns true when the Kafka that the note tells of is running */
export const isRunning = async (notePath: string, propertiesPath: string): Promise<boolean> => {
  const note = await readNote(notePath)
  return note !== undefined && isKafkaOf(note.pid, propertiesPath)
}

/**
 * Ends a Kafka in order; by force when it takes too long.
 * @param hasEnded checked until it is true
 */
export const endProcess = async (pid: number, hasEnded: () => boolean, patienceMs: number): Promise<void> => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (hasEnded()) return
      throw new RingsideError('NO_PERMISSION', `cannot stop Kafka, process ${pid}: ${messageOf(error)}`, {
        cause: error
      })
    }
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await delay(pollMs)) {
      if (hasEnded()) return
    }
  }
  throw new RingsideError('OS', `Kafka, process ${pid}, does not end`)
}

/**
 * Stops the Kafka that a killed `ringside up` left running on this state.
 * @throws RingsideError UNAVAILABLE when whoever started it still runs
 */
export const endLeftover = async (notePath: string, propertiesPath: string, patienceMs: number): Promise<boolean> => {
  const note = await readNote(notePath)
  if (note === undefined || !isKafkaOf(note.pid, propertiesPath)) return false
  if (startOf(note.owner) === note.ownerStart) {
    throw new RingsideError(
      'UNAVAILABLE',
      `process ${note.owner} runs a Kafka on ${propertiesPath} already: end it, or choose another state folder (RINGSIDE_STATE_DIR)`,
      { canRetry: false }
    )
  }
  await endProcess(note.pid, () => !isKafkaOf(note.pid, propertiesPath), patienceMs)
  await rm(notePath, { force: true })
  return true
}
