// The log of verbs that print for people: silent, except with RINGSIDE_LOG_LEVEL.
import { createLog, type Log } from '../../runtime/log.ts'
import { printable } from '../../runtime/printable.ts'

export const quietLog = (verb: string): Log => createLog(verb, process.env['RINGSIDE_LOG_LEVEL'] ?? 'silent')

/** Writes a remark to stderr that is no failure. */
export const remark = (text: string): void => {
  process.stderr.write(`ringside: ${printable(text)}\n`)
}
