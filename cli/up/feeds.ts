// The first events and the new alerts that `up` shows while it runs. Reads the topics as any client can, and cannot
// delay the services.
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { KafkaClient } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import { describeUnreadable } from '../../wire/describe-unreadable.ts'
import { topicName } from '../../wire/topics.ts'
import type { Alert } from '../../wire/types.ts'
import { rowReaders } from '../rows/row-readers.ts'
import { TableLayout } from '../terminal/table.ts'

const firstEvents = 5
const retryMs = 1000

export interface FeedOptions {
  readonly client: KafkaClient
  readonly config: Config
  readonly log: Log
  readonly sinceMs: number
  readonly signal: AbortSignal
}

/** Calls onLines once, with the first events as a table. */
export const showFirstEvents = async (options: FeedOptions, onLines: (lines: string[]) => void): Promise<void> => {
  const reader = rowReaders.events
  await readOn(options, 'events', (value) => {
    const rows = reader.rowsOf(value).slice(0, firstEvents)
    if (rows.length === 0) return true
    const cells = rows.map((row) => reader.cells(row))
    const layout = new TableLayout(reader.columns, cells, Number.POSITIVE_INFINITY)
    onLines([layout.header(), ...cells.map((row) => layout.line(row))])
    return false
  })
}

/** Calls onAlert for the first revision of each alert. */
export const watchAlerts = async (options: FeedOptions, onAlert: (alert: Alert) => void): Promise<void> => {
  await readOn(options, 'alerts', (value) => {
    const alert = decode('Alert', value)
    if (alert.revision === 1) onAlert(alert)
    return true
  })
}

/** Reads until onValue returns false or the signal fires; resumes after an outage. */
const readOn = async (
  { client, config, log, sinceMs, signal }: FeedOptions,
  topic: 'events' | 'alerts',
  onValue: (value: Buffer) => boolean
): Promise<void> => {
  const next = new Map<number, bigint>()
  let isWanted = true
  while (isWanted && !signal.aborted) {
    try {
      await client.read(
        {
          topic: topicName(config, topic),
          sinceMs,
          untilEnd: false,
          onMessage: (message, partition) => {
            if (message.offset < (next.get(partition) ?? 0n)) return undefined
            next.set(partition, message.offset + 1n)
            if (message.value !== null) isWanted = onValue(message.value)
            return isWanted
          },
          onUnreadable: (batch) => log.debug(`reading ${topic}: ${describeUnreadable(batch)}`)
        },
        signal
      )
    } catch (error) {
      log.debug(`reading ${topic}: ${messageOf(error)}`)
      await delay(retryMs, undefined, { signal }).catch(() => {})
    }
  }
}
