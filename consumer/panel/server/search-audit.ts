// An audit query → the matching rows, read from the topic. A search is bounded in time and rows.
import type { KafkaClient } from '../../../wire/client.ts'
import { decode } from '../../../wire/codec.ts'
import type { AuditRecord } from '../../../wire/types.ts'
import { type AuditAnswer, type AuditQuery, endpointText } from '../protocol.ts'

export interface AuditSearchOptions {
  readonly client: Pick<KafkaClient, 'read' | 'describeTopics'>
  readonly topic: string
  readonly query: AuditQuery
  /** Aborted when the client has disconnected. */
  readonly signal: AbortSignal
  readonly maxRows?: number
  readonly maxMs?: number
}

const defaultMaxRows = 500
const defaultMaxMs = 10_000
/** A row reaches Kafka seconds after its event, or hours after it when it was spooled during an outage. */
const maxDelayMs = 3_600_000
/** Messages between two yields to the event loop. */
const yieldEvery = 500

const includes = (text: string | null, part: string): boolean => text?.includes(part) === true

/** An empty text matches every row. */
export const matchesQuery = (row: AuditRecord, query: AuditQuery): boolean => {
  const { fromMs, toMs, host, call, program, pid, target, failed } = query
  const timeMs = row.time / 1000
  if (timeMs < fromMs || timeMs >= toMs) return false
  if (pid !== undefined && row.pid !== pid) return false
  if (failed === true && row.verdict !== 'failed') return false
  if (host && row.host !== host) return false
  if (call && (row.syscall ?? row.kind) !== call) return false
  if (program && !includes(row.comm, program) && !includes(row.exe, program)) return false
  if (!target) return true
  const remote = row.remote_address === null ? null : endpointText(row.remote_address, row.remote_port)
  return [row.path, row.path_to, remote].some((text) => includes(text, target))
}

const byTime = (a: AuditRecord, b: AuditRecord): number => a.time - b.time || a.time_ns - b.time_ns || a.seq - b.seq

/** @throws RingsideError DATA when the topic does not exist, UNAVAILABLE when Kafka does not respond */
export const searchAudit = async (options: AuditSearchOptions): Promise<AuditAnswer> => {
  const { client, topic, query, signal, maxRows = defaultMaxRows, maxMs = defaultMaxMs } = options
  const partitions = (await client.describeTopics([topic]))[0]?.partitions ?? 0
  const rows: AuditRecord[] = []
  const finished = new Set<number>()
  const timeout = AbortSignal.timeout(maxMs)
  let scanned = 0
  let unreadable = 0
  let isFull = false
  const scan = (value: Buffer): void => {
    try {
      const row = decode('AuditRecord', value)
      if (matchesQuery(row, query)) rows.push(row)
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
        if (timestampMs > query.toMs + maxDelayMs) {
          finished.add(partition)
          return finished.size < partitions
        }
        scanned += 1
        if (value !== null) scan(value)
        isFull = rows.length >= maxRows
        if (isFull) return false
        return scanned % yieldEvery === 0 ? new Promise((resolve) => setImmediate(() => resolve(true))) : true
      },
      onUnreadable: () => {
        unreadable += 1
      }
    },
    AbortSignal.any([signal, timeout])
  )
  const stops: string[] = []
  if (isFull) stops.push(`only the first ${maxRows} rows are shown: narrow the search`)
  else if (timeout.aborted) stops.push(`the time limit of ${maxMs / 1000} s was reached: choose a shorter time range`)
  if (unreadable > 0) stops.push(`${unreadable} messages or record batches of topic ${topic} could not be read`)
  return { rows: rows.sort(byTime), scanned, stopped: stops.length === 0 ? null : stops.join('; ') }
}
