// The log of verbs that people watch: they say themselves what matters, in words of their own, so the
// library's log of each connection and retry is for RINGSIDE_LOG_LEVEL only.
import { createLog, type Log } from '../../runtime/log.ts'

export const quietLog = (verb: string): Log => createLog(verb, process.env['RINGSIDE_LOG_LEVEL'] ?? 'silent')

/** A remark on stderr that is no failure. */
export const remark = (text: string): void => {
  process.stderr.write(`ringside: ${text}\n`)
}
