// Messages, consumers and commits for the tests of the Kafka client's contract.
import type { Commit, ConsumerOptions, FetchedBatch } from '../../../wire/client.ts'
import { expectReadable, uniqueName, type withKafka } from '../../support/kafka.ts'

export interface TextMessage {
  readonly key: string
  readonly value: string
}

export const toMessage = ({ key, value }: TextMessage) => ({ key, value: Buffer.from(value) })

export const numbered = (count: number, keys = 1): TextMessage[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i % keys}`, value: `v${i}` }))

export const clientsOn = (kafka: ReturnType<typeof withKafka>) => {
  const send = async (topic: string, messages: readonly TextMessage[]): Promise<void> => {
    const producer = await kafka.client.producer()
    await producer.send(topic, messages.map(toMessage))
    await producer.close()
  }

  /** A consumer that records its callbacks. */
  const consume = async (options: Pick<ConsumerOptions, 'group' | 'topics'> & Partial<ConsumerOptions>) => {
    const started: { partition: number; committed: Commit | undefined }[] = []
    const batches: FetchedBatch[] = []
    const consumer = await kafka.client.consumer({
      from: 'earliest',
      onStart: async ({ partition, committed }) => {
        started.push({ partition, committed })
      },
      onRevoked: () => {},
      onBatch: async (batch) => {
        batches.push(batch)
      },
      onUnreadable: async (batch) => expectReadable(batch),
      ...options
    })
    const values = () => batches.flatMap(({ messages }) => messages.map(({ value }) => String(value)))
    return { consumer, started, batches, values }
  }

  const commitFor = async (group: string, commit: Commit): Promise<void> => {
    const { topic, partition } = commit
    const producer = await kafka.client.transactional({ id: uniqueName('id'), group, topic, partition })
    await producer.transact(async () => {}, commit)
    await producer.close()
  }

  return { send, consume, commitFor }
}
