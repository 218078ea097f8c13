// Whether acknowledged messages survive the loss of a broker: a topic of three replicas must have two of them in sync for
// each acknowledgement.
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { KafkaClient, TopicDescription } from './client.ts'

/** With fewer replicas, two in sync would stop all publishing whenever one broker restarts. */
const enoughReplicas = 3
const wanted = 2

/** Setting min.insync.replicas of a new topic. */
export const minInsyncReplicas = (replicas: number): number => (replicas >= enoughReplicas ? wanted : 1)

/** True when a message that Kafka acknowledged can be lost with one broker, although the topic has enough replicas. */
export const isWeak = ({ replicas, minInsyncReplicas: has }: TopicDescription): boolean =>
  has !== undefined && has < minInsyncReplicas(replicas)

/** The command that repairs a weak topic. */
export const repairCommand = (topic: string, brokers: readonly string[]): string =>
  `kafka-configs.sh --bootstrap-server ${brokers.join(',')} --alter --entity-type topics --entity-name ${topic} --add-config min.insync.replicas=${wanted}`

export interface DurabilityOptions {
  readonly client: Pick<KafkaClient, 'describeTopics'>
  readonly topics: readonly string[]
  readonly brokers: readonly string[]
  readonly log: Log
  readonly retryMs?: number
}

const defaultRetryMs = 10_000

/** Logs each weak topic, once Kafka answers. Never rejects. */
export const reportDurability = async (options: DurabilityOptions): Promise<void> => {
  const { client, topics, brokers, log, retryMs = defaultRetryMs } = options
  for (;;) {
    try {
      for (const topic of (await client.describeTopics(topics)).filter(isWeak)) {
        const { name, replicas, minInsyncReplicas } = topic
        log.warn(
          { topic: name, replicas, minInsyncReplicas },
          `the loss of one broker can lose acknowledged messages of ${name}: run \`${repairCommand(name, brokers)}\``
        )
      }
      return
    } catch (error) {
      log.debug(`cannot read the settings of topics: ${messageOf(error)}`)
      if (!(error instanceof RingsideError) || !error.canRetry) return
      await delay(retryMs, undefined, { ref: false })
    }
  }
}
