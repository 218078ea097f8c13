// What a message of a topic is to a handler: decoded, checked, and without what came before. One input serves one
// handler of one partition.
import { RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { decode } from '../../wire/codec.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { TopicName } from '../../wire/topics.ts'
import type { EventBatch, Rollup } from '../../wire/types.ts'
import type { HandlerModule, Handlers, StatefulHandler } from '../handler.ts'
import { checkBatch, checkColumns } from './check-batch.ts'
import { createColumnDecoder } from './column-decoder.ts'
import { Deduplicator, type NumberedBatch } from './deduplicator.ts'
import { keepColumns } from './keep-columns.ts'

export interface Input<Value> {
  /**
   * @param bytes a message's value
   * @returns valid until the next call
   * @throws RingsideError DATA for what is none, or contradicts itself
   */
  read(bytes: Buffer): Value
  /** @returns the value without what was added before; undefined when nothing that it says is new */
  unseenOf(value: Value): Value | undefined
  /** What is in the value was handled: from now on it is a repeat. */
  add(value: Value): void
  eventsIn(value: Value): number
}

/** A handler of one partition, and what its messages are to it. */
export interface Hosted {
  readonly input: Input<unknown>
  readonly handler: StatefulHandler<unknown>
}

export type InputTopic = Extract<TopicName, 'events' | 'rollups'>

const numbersOf = ({ events, summaries, ...rest }: EventBatch): NumberedBatch => ({
  ...rest,
  events: {
    length: events.length,
    cpu: Int32Array.from(events, ({ cpu }) => cpu),
    seq: Float64Array.from(events, ({ seq }) => seq)
  },
  summaries: { length: summaries.length, seq: Float64Array.from(summaries, ({ seq }) => seq) }
})

/** Batches as they were written. */
export const eventInput = (): Input<EventBatch> => {
  const deduplicator = new Deduplicator()
  return {
    read: (bytes) => {
      const batch = decode('EventBatch', bytes)
      checkBatch(batch)
      return batch
    },
    unseenOf: (batch) => {
      const unseen = deduplicator.unseenOf(numbersOf(batch))
      if (unseen === 'nothing') return undefined
      if (unseen === 'all') return batch
      return {
        ...batch,
        events: unseen.events.flatMap((at) => batch.events[at] ?? []),
        summaries: unseen.summaries.flatMap((at) => batch.summaries[at] ?? [])
      }
    },
    add: (batch) => deduplicator.add(numbersOf(batch)),
    eventsIn: ({ events }) => events.length
  }
}

/** Batches as columns. */
export const columnInput = (log: Log): Input<ColumnBatch> => {
  const deduplicator = new Deduplicator()
  const decodeColumns = createColumnDecoder(log)
  return {
    read: (bytes) => {
      const batch = decodeColumns(bytes)
      checkColumns(batch)
      return batch
    },
    unseenOf: (batch) => {
      const unseen = deduplicator.unseenOf(batch)
      if (unseen === 'nothing') return undefined
      if (unseen !== 'all') keepColumns(batch, unseen)
      return batch
    },
    add: (batch) => deduplicator.add(batch),
    eventsIn: ({ events }) => events.length
  }
}

/** Rows one by one: the transaction that they were sent in keeps duplicates out of the topic. */
export const rollupInput = (): Input<Rollup> => ({
  read: (bytes) => decode('Rollup', bytes),
  unseenOf: (row) => row,
  add: () => {},
  eventsIn: () => 0
})

const handlersOf = (module: HandlerModule): Handlers => {
  if (typeof module === 'object') return 'handlers' in module ? module.handlers : { events: module.create }
  const handler = { handle: module, checkpoint: () => ({ resumeOffset: undefined, metadata: '' }), restore: () => {} }
  return { events: () => handler }
}

/** @throws RingsideError DATA when the module handles nothing, or events in two ways */
export const inputTopics = (module: HandlerModule): readonly InputTopic[] => {
  const { events, columns, rollups } = handlersOf(module)
  if (events !== undefined && columns !== undefined) {
    throw new RingsideError('DATA', 'the handlers have both events and columns, which are the same topic: choose one')
  }
  const topics: InputTopic[] = []
  if (events !== undefined || columns !== undefined) topics.push('events')
  if (rollups !== undefined) topics.push('rollups')
  if (topics.length > 0) return topics
  throw new RingsideError('DATA', 'the handlers have none of events, columns, rollups')
}

const host = <Value>(input: Input<Value>, handler: StatefulHandler<Value>): Hosted => ({ input, handler })

/**
 * A handler of its own for a partition.
 * @param topic one of inputTopics()
 * @throws what the module's factory throws
 */
export const hostHandler = (module: HandlerModule, topic: InputTopic, partition: number, log: Log): Hosted => {
  const { events, columns, rollups } = handlersOf(module)
  if (topic === 'rollups' && rollups !== undefined) return host(rollupInput(), rollups(partition))
  if (topic === 'events' && columns !== undefined) return host(columnInput(log), columns(partition))
  if (topic === 'events' && events !== undefined) return host(eventInput(), events(partition))
  throw new RingsideError('SOFTWARE', `the module has no handler of ${topic}`)
}
