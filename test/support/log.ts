// Logs for tests.
import pino from 'pino'
import type { Log } from '../../runtime/log.ts'

/** Silent, unless RINGSIDE_LOG_LEVEL is set. */
export const testLog: Log = pino({ level: process.env['RINGSIDE_LOG_LEVEL'] ?? 'silent' }, pino.destination(2))
