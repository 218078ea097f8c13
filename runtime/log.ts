// The root logger: pino on stderr, as stdout is for data. Pretty on a terminal, JSON lines elsewhere. RINGSIDE_LOG_LEVEL
// sets the level; components use child loggers.
import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'
import { printable, printableValues } from './printable.ts'

export type Log = Logger

/** Lines that wait while stderr cannot be written. */
const maxWaitingBytes = 1 << 20

const destination = (): pino.DestinationStream => {
  if (process.stderr.isTTY) {
    return pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
  }
  const stderr = pino.destination({ dest: 2, sync: true, maxLength: maxWaitingBytes })
  // stderr can be a file on a full disk: a log that cannot be written stops no service.
  stderr.on('error', () => {})
  return stderr
}

/** Most lines have neither an escape of JSON nor anything unprintable, and need no copy. */
const isPrintable = (line: string): boolean => !/\\[bfnrtu]/.test(line) && printable(line) === line

/** Names in messages and fields, such as a host's, come from others. */
const printableLine = (line: string): string => {
  const json = line.slice(0, -1)
  return isPrintable(json) ? line : `${JSON.stringify(printableValues(JSON.parse(json)))}\n`
}

export const createLog = (
  name: string,
  level = process.env['RINGSIDE_LOG_LEVEL'] ?? 'info',
  to: pino.DestinationStream = destination()
): Log => pino({ name, level, base: { name, pid: process.pid }, hooks: { streamWrite: printableLine } }, to)
