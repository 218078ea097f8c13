// What becomes of a message that cannot be handled: its key and bytes as they came, and in headers
// why, and where it was. Repaired, it can be sent again to where it came from.
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Message } from '../../wire/client.ts'

export interface DeadLetterOrigin {
  /** The service that could not handle it. */
  readonly service: string
  readonly topic: string
  /** Undefined for an output that the broker refused: it never was in a partition. */
  readonly partition?: number
  readonly offset?: bigint
}

/** Headers travel in every fetch: a stack or a whole document as a reason is cut. */
const maxReasonLength = 1000

/**
 * @param original key and value go on unchanged
 * @param error its message is the reason; its code, where it has one, tells the kinds apart
 * @param timeMs when it failed, milliseconds since the epoch
 */
export const deadLetter = (
  original: Pick<Message, 'key' | 'value'>,
  error: unknown,
  { service, topic, partition, offset }: DeadLetterOrigin,
  timeMs: number
): Message => ({
  key: original.key,
  value: original.value,
  headers: {
    reason: messageOf(error).slice(0, maxReasonLength),
    code: error instanceof RingsideError ? error.code : 'HANDLER',
    service,
    topic,
    ...(partition !== undefined && { partition: String(partition) }),
    ...(offset !== undefined && { offset: String(offset) }),
    time: new Date(timeMs).toISOString()
  }
})
