// The file that records the Kafka process of a state folder and its owner, the process that started it. Both are checked
// against /proc, so that a reused pid is never taken for them.
import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../../runtime/errors.ts'

interface ProcessFile {
  readonly pid: number
  readonly owner: number
  /** The owner's start in clock ticks after boot, which with its pid identifies it. */
  readonly ownerStart: string
}

const pollMs = 25

/** @returns field 22 of /proc/PID/stat; undefined without the process, or for a zombie */
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

const readProcessFile = async (path: string): Promise<ProcessFile | undefined> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessFile
  } catch {
    return undefined
  }
}

export const writeProcessFile = async (path: string, pid: number): Promise<void> => {
  const content: ProcessFile = { pid, owner: process.pid, ownerStart: startOf(process.pid) ?? '' }
  await writeFile(path, JSON.stringify(content))
}

/** @returns true when the Kafka of the file runs */
export const isRunning = async (path: string, propertiesPath: string): Promise<boolean> => {
  const known = await readProcessFile(path)
  return known !== undefined && isKafkaOf(known.pid, propertiesPath)
}

/**
 * Stops a Kafka with SIGTERM, and after timeoutMs with SIGKILL.
 * @param hasEnded polled until it returns true
 */
export const endProcess = async (pid: number, hasEnded: () => boolean, timeoutMs: number): Promise<void> => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (hasEnded()) return
      throw new RingsideError('NO_PERMISSION', `cannot stop Kafka, process ${pid}: ${messageOf(error)}`, {
        cause: error
      })
    }
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(pollMs)) {
      if (hasEnded()) return
    }
  }
  throw new RingsideError('OS', `Kafka, process ${pid}, did not stop`)
}

/**
 * Stops the Kafka that a killed `ringside up` left running on this state folder.
 * @returns false without one
 * @throws RingsideError UNAVAILABLE when its owner still runs
 */
export const endLeftover = async (path: string, propertiesPath: string, timeoutMs: number): Promise<boolean> => {
  const known = await readProcessFile(path)
  if (known === undefined || !isKafkaOf(known.pid, propertiesPath)) return false
  if (startOf(known.owner) === known.ownerStart) {
    throw new RingsideError(
      'UNAVAILABLE',
      `process ${known.owner} already runs a Kafka on ${propertiesPath}: stop it, or choose another state folder (RINGSIDE_STATE_DIR)`,
      { canRetry: false }
    )
  }
  await endProcess(known.pid, () => !isKafkaOf(known.pid, propertiesPath), timeoutMs)
  await rm(path, { force: true })
  return true
}
