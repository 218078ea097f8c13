// The root logger: pino on stderr, as stdout is for data. Pretty on a terminal, JSON lines elsewhere. RINGSIDE_LOG_LEVEL
// sets the level; components use child loggers.
import pino, { type Logger } from 'pino'
import pretty from 'pino-pretty'

export type Log = Logger

const destination = (): pino.DestinationStream =>
  process.stderr.isTTY
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
    : pino.destination({ dest: 2, sync: true })

export const createLog = (name: string, level = process.env['RINGSIDE_LOG_LEVEL'] ?? 'info'): Log =>
  pino({ name, level, base: { name, pid: process.pid } }, destination())
