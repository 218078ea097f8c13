// Reader on kafkajs: the messages of a topic from a given time on, without commits. kafkajs fetches only as a member of a
// group, so each read has a new group, deleted at the end. The group of a killed reader has no offsets: the broker
// removes it.
import { randomUUID } from 'node:crypto'
import { RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { ReaderOptions } from '../client.ts'
import { GroupMember } from './group.ts'
import { type Admin, createPartitioner, type EachBatchPayload, type Kafka, toRingsideError } from './library.ts'
import { toReceivedMessage, unreadableOf } from './received.ts'

/** Calls `use` with a connected admin client; its errors become RingsideErrors that begin with `action`. */
export type WithAdmin = <T>(action: string, use: (admin: Admin) => Promise<T>) => Promise<T>

interface ReadOptions extends ReaderOptions {
  readonly kafka: Kafka
  readonly brokers: readonly string[]
  readonly withAdmin: WithAdmin
  readonly log: Log
}

/** A read with untilEnd gives up after this many failures without a message between them; one that follows never does. */
const maxCrashesInARow = 10
/** The group has no other member: a join takes a second, or three where brokers wait for more members. */
const stalledAfterMs = 10_000

interface Position {
  readonly start: bigint
  next: bigint
  /** Undefined: never stop. */
  readonly end: bigint | undefined
}

/** The partition that a producer chooses for the key. */
const partitionOf = (key: string, topic: string, partitions: number): number => {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 0 }))
  return createPartitioner()({ topic, partitionMetadata: partitionMetadata as never, message: { key, value: null } })
}

const startPositions = async (
  admin: Admin,
  { topic, sinceMs, untilEnd, key }: ReaderOptions
): Promise<Map<number, Position>> => {
  if (!(await admin.listTopics()).includes(topic)) {
    throw new RingsideError('DATA', `topic ${topic} does not exist: create it with \`ringside topics create\``)
  }
  const bounds = await admin.fetchTopicOffsets(topic)
  const starts = sinceMs === undefined ? undefined : await admin.fetchTopicOffsetsByTimestamp(topic, sinceMs)
  const only = key === undefined ? undefined : partitionOf(key, topic, bounds.length)
  const wanted = bounds.filter(({ partition }) => only === undefined || partition === only)
  return new Map(
    wanted.map(({ partition, high }): [number, Position] => {
      const start = BigInt(starts?.find((found) => found.partition === partition)?.offset ?? high)
      return [partition, { start, next: start, end: untilEnd ? BigInt(high) : undefined }]
    })
  )
}

/** Messages before the places, and all messages that a read with untilEnd has. */
const progressOf = (positions: Iterable<Position>): readonly [read: number, total: number] => {
  let [read, total] = [0, 0]
  for (const { start, next, end = next } of positions) {
    const length = Number(end - start)
    read += Math.min(Number(next - start), length)
    total += length
  }
  return [read, total]
}

/** @throws RingsideError DATA when the topic does not exist, UNAVAILABLE when Kafka stays away before the end */
export const readTopic = async (options: ReadOptions, signal?: AbortSignal): Promise<void> => {
  const { kafka, brokers, withAdmin, topic, log, onMessage, onUnreadable, untilEnd } = options
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

  const advance = (partition: number, next: bigint): void => {
    const position = positions.get(partition)
    if (position !== undefined && position.next < next) position.next = next
    if (untilEnd) options.onProgress?.(...progressOf(positions.values()))
    if (isDone()) end()
  }

  const onBatch = async ({ batch, resolveOffset, isStale }: EachBatchPayload): Promise<void> => {
    const position = positions.get(batch.partition)
    if (isEnded || position === undefined || isStale()) return
    crashes = 0
    for (const message of batch.messages) {
      if (BigInt(message.offset) < position.next) continue
      if (position.end !== undefined && BigInt(message.offset) >= position.end) break
      const unreadable = unreadableOf(message)
      if (unreadable !== undefined) onUnreadable(unreadable, batch.partition)
      else if ((await onMessage(toReceivedMessage(message), batch.partition)) === false) end()
      if (isEnded) return
      position.next = BigInt(message.offset) + 1n
    }
    resolveOffset(batch.lastOffset())
    advance(batch.partition, BigInt(batch.lastOffset()) + 1n)
  }

  const group = `ringside-read-${randomUUID()}`
  const member = new GroupMember({
    kafka,
    group,
    topics: [topic],
    log,
    stalledAfterMs,
    onJoin: ({ [topic]: assigned = [] }, consumer) => {
      consumer.pause([{ topic, partitions: assigned.filter((partition) => !positions.has(partition)) }])
      for (const [partition, { next }] of positions) consumer.seek({ topic, partition, offset: String(next) })
    },
    onLeave: () => {},
    onBatch: (payload) =>
      onBatch(payload).catch((error: unknown) => {
        isEnded = true
        ended.reject(error)
      }),
    onAdvance: (_, partition, next) => advance(partition, next),
    onGiveUp: (error) => ended.reject(toRingsideError(error, `cannot read ${topic}`, brokers)),
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
