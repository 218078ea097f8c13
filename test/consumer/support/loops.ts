// A consume loop on a local Kafka: topics with a prefix of their own, messages, and a handler's output topic.
import type { HandlerModule, Output } from '../../../consumer/handler.ts'
import { ConsumeLoop } from '../../../consumer/loop/consume-loop.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import type { KafkaClient, Message } from '../../../wire/client.ts'
import { encode } from '../../../wire/codec.ts'
import { topicNames } from '../../../wire/topics.ts'
import { readAll, uniqueName, type withKafka } from '../../support/kafka.ts'
import { testLog } from '../../support/log.ts'
import { batchOf, eventOf } from './batches.ts'

export const messageOf = (batch: number, events = 2): Message => ({
  key: 'host-a',
  value: encode('EventBatch', batchOf({ batch, events: Array.from({ length: events }, () => eventOf()) }))
})

/** An output to topic `mine`. */
export const toMine = (topicPrefix: string, key: string, value: unknown): Output => ({
  to: 'topic',
  topic: `${topicPrefix}mine`,
  key,
  value
})

export const loopsOn = (kafka: ReturnType<typeof withKafka>) => {
  /** Each call makes topics with another prefix. */
  const createTopics = async (settings: Record<string, string> = {}, partitions = 1): Promise<string> => {
    const topicPrefix = `${uniqueName('loop')}.`
    const specify = (name: string) => ({ name: topicPrefix + name, partitions, replicas: 1, settings: {} })
    await kafka.client.ensureTopics([...topicNames.map(specify), { ...specify('mine'), settings }])
    return topicPrefix
  }

  const publish = async (topicPrefix: string, messages: readonly Message[]): Promise<void> => {
    const producer = await kafka.client.producer()
    await producer.send(`${topicPrefix}events`, messages)
    await producer.close()
  }

  const start = (
    topicPrefix: string,
    module: HandlerModule,
    client: KafkaClient = kafka.client,
    from: 'earliest' | 'latest' = 'earliest',
    handlerTimeoutMs = 60_000
  ): Promise<ConsumeLoop> =>
    ConsumeLoop.start({
      service: 'test',
      group: `${topicPrefix}test`,
      module,
      client,
      config: { ...loadConfig({ consumers: { handlerTimeoutMs } }, undefined, {}), topicPrefix },
      from,
      log: testLog
    })

  const mine = async (topicPrefix: string): Promise<string[]> =>
    (await readAll(kafka.client, `${topicPrefix}mine`)).map(({ value }) => String(value))

  return { createTopics, publish, start, mine }
}
