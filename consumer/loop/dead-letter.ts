// Dead letters: the key and value of a message that cannot be handled, unchanged, with reason and origin in headers. Once
// the cause is fixed, the message can be sent to its topic again. A letter with last_offset is not a message but a whole
// record batch that cannot be read: its value is the batch as Kafka stores it.
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { printable } from '../../runtime/printable.ts'
import type { Message } from '../../wire/client.ts'

export interface DeadLetterOrigin {
  /** The service that failed to handle the message. */
  readonly service: string
  readonly topic: string
  /** Undefined for an output that the broker refused: it was in no partition. */
  readonly partition?: number
  readonly offset?: bigint
  /** Of a record batch that cannot be read; `offset` is its first. */
  readonly lastOffset?: bigint
}

/** Every fetch carries the headers: a long reason is cut. */
const maxReasonLength = 1000

/**
 * @param error its message becomes the reason; a RingsideError's code becomes the code, else HANDLER
 * @param timeMs time of the failure, milliseconds since the epoch
 */
export const deadLetter = (
  original: Pick<Message, 'key' | 'value'>,
  error: unknown,
  { service, topic, partition, offset, lastOffset }: DeadLetterOrigin,
  timeMs: number
): Message => ({
  key: original.key,
  value: original.value,
  headers: {
    reason: printable(messageOf(error), maxReasonLength),
    code: error instanceof RingsideError ? error.code : 'HANDLER',
    service,
    topic,
    ...(partition !== undefined && { partition: String(partition) }),
    ...(offset !== undefined && { offset: String(offset) }),
    ...(lastOffset !== undefined && { last_offset: String(lastOffset) }),
    time: new Date(timeMs).toISOString()
  }
})
