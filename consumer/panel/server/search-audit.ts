// A question to the audit log → the rows that answer it, read from the topic: bounded in time and rows.
import type { KafkaClient } from '../../../wire/client.ts'
import { decode } from '../../../wire/codec.ts'
import type { AuditRecord } from '../../../wire/types.ts'
import type { AuditAnswer, AuditQuery } from '../protocol.ts'

export interface AuditSearchOptions {
  readonly client: Pick<KafkaClient, 'read' | 'describeTopics'>
  readonly topic: string
  readonly query: AuditQuery
  /** Who asked is gone. */
  readonly signal: AbortSignal
  readonly maxRows?: number
  readonly maxMs?: number
}

const defaultMaxRows = 500
const defaultMaxMs = 10_000
/** Rows come to Kafka within seconds of what they tell; after an outage, spooled, within hours. */
const lateMs = 3_600_000
/** Messages between two looks at what else there is to do. */
const yieldEvery = 500

const endpoint = (address: string | null, port: number | null): string | null => {
  if (address === null || port === null) return address
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

const includes = (text: string | null, part: string): boolean => text?.includes(part) === true

/** Whether a row is asked for; an empty text asks for all. */
export const answers = (row: AuditRecord, query: AuditQuery): boolean => {
  const { fromMs, toMs, host, call, program, pid, about, failed } = query
  const timeMs = row.time / 1000
  if (timeMs < fromMs || timeMs >= toMs) return false
  if (pid !== undefined && row.pid !== pid) return false
  if (failed === true && row.errno === null) return false
  if (host && row.host !== host) return false
  if (call && (row.syscall ?? row.kind) !== call) return false
  if (program && !includes(row.comm, program) && !includes(row.exe, program)) return false
  if (!about) return true
  const remote = endpoint(row.remote_address, row.remote_port)
  return [row.path, row.path_to, remote].some((text) => includes(text, about))
}

const byTime = (a: AuditRecord, b: AuditRecord): number => a.time - b.time || a.time_ns - b.time_ns || a.seq - b.seq

/**
 * @throws RingsideError DATA when there is no such topic, UNAVAILABLE when Kafka goes away
 */
export const searchAudit = async (options: AuditSearchOptions): Promise<AuditAnswer> => {
  const { client, topic, query, signal, maxRows = defaultMaxRows, maxMs = defaultMaxMs } = options
  const partitions = (await client.describeTopics([topic]))[0]?.partitions ?? 0
  const rows: AuditRecord[] = []
  const passed = new Set<number>()
  const timeout = AbortSignal.timeout(maxMs)
  let read = 0
  let unreadable = 0
  let isFull = false
  const look = (value: Buffer): void => {
    try {
      const row = decode('AuditRecord', value)
      if (answers(row, query)) rows.push(row)
    } catch {
      unreadable += 1
    }
  }
  await client.read(
    {
      topic,
      sinceMs: query.fromMs,
      untilEnd: true,
      onMessage: ({ value, timestampMs }, partition) => {
        if (timestampMs > query.toMs + lateMs) {
          passed.add(partition)
          return passed.size < partitions
        }
        read += 1
        if (value !== null) look(value)
        isFull = rows.length >= maxRows
        if (isFull) return false
        return read % yieldEvery === 0 ? new Promise((resolve) => setImmediate(() => resolve(true))) : true
      }
    },
    AbortSignal.any([signal, timeout])
  )
  const stops: string[] = []
  if (isFull) stops.push(`there are more than the first ${maxRows} rows: ask for less`)
  else if (timeout.aborted) stops.push(`${maxMs / 1000} s were not enough: ask for a shorter time`)
  if (unreadable > 0) stops.push(`${unreadable} messages of ${topic} could not be read`)
  return { rows: rows.sort(byTime), read, stopped: stops.length === 0 ? null : stops.join('; ') }
}
