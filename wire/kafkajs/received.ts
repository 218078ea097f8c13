// kafkajs messages in; received messages, and the batches that cannot be read in their places, out.
import type { KafkaMessage } from 'kafkajs'
import type { ReceivedMessage, UnreadableBatch } from '../client.ts'
import type { FetchedRecord } from './record-batches.ts'

/** The batch that cannot be read and in whose place the message is; undefined for every other message. */
export const unreadableOf = (message: KafkaMessage): UnreadableBatch | undefined =>
  (message as Partial<FetchedRecord>).unreadable

export const toReceivedMessage = ({ key, value, headers, offset, timestamp }: KafkaMessage): ReceivedMessage => ({
  key,
  value,
  headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
  offset: BigInt(offset),
  timestampMs: Number(timestamp)
})

/** The messages from an offset on, divided at the batches that cannot be read. */
export const partsOf = (messages: readonly KafkaMessage[], from: bigint): (ReceivedMessage[] | UnreadableBatch)[] => {
  const parts: (ReceivedMessage[] | UnreadableBatch)[] = []
  let open: ReceivedMessage[] | undefined
  for (const message of messages) {
    if (BigInt(message.offset) < from) continue
    const unreadable = unreadableOf(message)
    if (unreadable !== undefined) {
      parts.push(unreadable)
      open = undefined
    } else if (open !== undefined) {
      open.push(toReceivedMessage(message))
    } else {
      open = [toReceivedMessage(message)]
      parts.push(open)
    }
  }
  return parts
}
