// A topic's messages from a moment on, for people: no commits, nothing left behind. kafkajs can only
// fetch as a member of a group, so each read has a group of its own name, deleted at the end. A group
// whose reader was killed holds no offsets: the broker forgets it by itself.
import { randomUUID } from 'node:crypto'
import { RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { ReaderOptions } from '../client.ts'
import { GroupMember } from './group.ts'
import { type Admin, type EachBatchPayload, type Kafka, toReceivedMessage } from './library.ts'

/** Lends a connected admin, whose errors become RingsideErrors that begin with `what`. */
export type WithAdmin = <T>(what: string, use: (admin: Admin) => Promise<T>) => Promise<T>

interface ReadOptions extends ReaderOptions {
  readonly kafka: Kafka
  readonly withAdmin: WithAdmin
  readonly log: Log
}

/** A read that is to end gives up when the brokers stay away; one that follows goes on. */
const maxCrashesInARow = 10
/** Nobody else is in its group: a join takes a second, or three where brokers wait for more members. */
const stalledAfterMs = 10_000

interface Position {
  next: bigint
  /** Undefined: reads on forever. */
  readonly end: bigint | undefined
}

const startPositions = async (
  admin: Admin,
  { topic, sinceMs, untilEnd }: ReaderOptions
): Promise<Map<number, Position>> => {
  if (!(await admin.listTopics()).includes(topic)) {
    throw new RingsideError('DATA', `there is no topic ${topic}: create it with \`ringside topics create\``)
  }
  const bounds = await admin.fetchTopicOffsets(topic)
  const starts = sinceMs === undefined ? undefined : await admin.fetchTopicOffsetsByTimestamp(topic, sinceMs)
  return new Map(
    bounds.map(({ partition, high }): [number, Position] => {
      const start = starts?.find((found) => found.partition === partition)?.offset ?? high
      return [partition, { next: BigInt(start), end: untilEnd ? BigInt(high) : undefined }]
    })
  )
}

/** @throws RingsideError DATA when the topic does not exist, UNAVAILABLE when Kafka goes away before the end */
export const readTopic = async (options: ReadOptions, signal?: AbortSignal): Promise<void> => {
  const { kafka, withAdmin, topic, log, onMessage, untilEnd } = options
  const positions = await withAdmin(`cannot read ${topic}`, (admin) => startPositions(admin, options))
  const isDone = () => [...positions.values()].every(({ next, end }) => end !== undefined && next >= end)
  if (isDone() || signal?.aborted) return

  const ended = Promise.withResolvers<void>()
  let isEnded = false
  const end = () => {
    isEnded = true
    ended.resolve()
  }
  let crashes = 0

  const pass = (partition: number, next: bigint): void => {
    const position = positions.get(partition)
    if (position !== undefined && position.next < next) position.next = next
    if (isDone()) end()
  }

  const onBatch = async ({ batch, resolveOffset, isStale }: EachBatchPayload): Promise<void> => {
    const position = positions.get(batch.partition)
    if (isEnded || position === undefined || isStale()) return
    crashes = 0
    for (const message of batch.messages) {
      if (BigInt(message.offset) < position.next) continue
      if (position.end !== undefined && BigInt(message.offset) >= position.end) break
      if ((await onMessage(toReceivedMessage(message), batch.partition)) === false) end()
      if (isEnded) return
      position.next = BigInt(message.offset) + 1n
    }
    resolveOffset(batch.lastOffset())
    pass(batch.partition, BigInt(batch.lastOffset()) + 1n)
  }

  const group = `ringside-read-${randomUUID()}`
  const member = new GroupMember({
    kafka,
    group,
    topics: [topic],
    log,
    stalledAfterMs,
    onJoin: (_, consumer) => {
      for (const [partition, { next }] of positions) consumer.seek({ topic, partition, offset: String(next) })
    },
    onLeave: () => {},
    onBatch: (payload) =>
      onBatch(payload).catch((error: unknown) => {
        isEnded = true
        ended.reject(error)
      }),
    onPassed: (_, partition, next) => pass(partition, next),
    onCrash: (error) => {
      crashes += 1
      if (untilEnd && crashes > maxCrashesInARow) {
        ended.reject(
          new RingsideError('UNAVAILABLE', `cannot read ${topic} to its end: ${error.message}`, { cause: error })
        )
      }
    }
  })
  signal?.addEventListener('abort', end)
  try {
    await ended.promise
  } finally {
    signal?.removeEventListener('abort', end)
    await member.close()
    await withAdmin('cannot delete a group', (admin) => admin.deleteGroups([group])).catch(() => {})
  }
}
