// Inputs of handlers: message values in; decoded and checked values without duplicates out. One input serves one handler
// of one partition.
import { RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { decode } from '../../wire/codec.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { TopicName } from '../../wire/topics.ts'
import type { EventBatch, Rollup } from '../../wire/types.ts'
import type { HandlerModule, Handlers, StatefulHandler } from '../handler.ts'
import { checkBatch, checkColumns, type Rejected } from './check-batch.ts'
import { createColumnDecoder } from './column-decoder.ts'
import { Deduplicator, type NumberedBatch } from './deduplicator.ts'
import { keepColumns } from './keep-columns.ts'

export interface Input<Value> {
  /**
   * @param bytes the value of a message
   * @returns a value that is valid until the next call
   * @throws RingsideError DATA when the bytes cannot be decoded or contradict themselves as a whole
   */
  read(bytes: Buffer): Value
  /** The rows that the last read() left out, as their values are impossible. */
  readonly rejected?: Rejected | undefined
  /** @returns the value without rows that were added before; undefined when the whole message is a duplicate */
  unseenOf(value: Value): Value | undefined
  /** The value was handled: from now on its rows are duplicates. */
  add(value: Value): void
  eventsIn(value: Value): number
}

/** A handler of one partition, and its input. */
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

/** Batches as objects. */
export const eventInput = (): Input<EventBatch> => {
  const deduplicator = new Deduplicator()
  let rejected: Rejected | undefined
  return {
    read: (bytes) => {
      const checked = checkBatch(decode('EventBatch', bytes))
      rejected = checked.rejected
      return checked.batch
    },
    get rejected() {
      return rejected
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
  let rejected: Rejected | undefined
  return {
    read: (bytes) => {
      const batch = decodeColumns(bytes)
      rejected = checkColumns(batch)
      return batch
    },
    get rejected() {
      return rejected
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

/** Rollups, one a message. Nothing to deduplicate: they were published in transactions. */
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

/** @throws RingsideError DATA when the module has no handler, or two for events */
export const inputTopics = (module: HandlerModule): readonly InputTopic[] => {
  const { events, columns, rollups } = handlersOf(module)
  if (events !== undefined && columns !== undefined) {
    throw new RingsideError(
      'DATA',
      'the module has handlers for both events and columns, which read the same topic: keep one of them'
    )
  }
  const topics: InputTopic[] = []
  if (events !== undefined || columns !== undefined) topics.push('events')
  if (rollups !== undefined) topics.push('rollups')
  if (topics.length > 0) return topics
  throw new RingsideError('DATA', 'the module has no handler: add one of events, columns, rollups')
}

const host = <Value>(input: Input<Value>, handler: StatefulHandler<Value>): Hosted => ({ input, handler })

/**
 * Creates the handler of a partition.
 * @param topic one of inputTopics()
 * @throws the error of the module's factory
 */
export const hostHandler = (module: HandlerModule, topic: InputTopic, partition: number, log: Log): Hosted => {
  const { events, columns, rollups } = handlersOf(module)
  if (topic === 'rollups' && rollups !== undefined) return host(rollupInput(), rollups(partition))
  if (topic === 'events' && columns !== undefined) return host(columnInput(log), columns(partition))
  if (topic === 'events' && events !== undefined) return host(eventInput(), events(partition))
  throw new RingsideError('SOFTWARE', `the module has no handler for ${topic}`)
}
