// Which Kafka a verb talks to: the named brokers, else the one that `ringside up` runs here.
import { findLocalBrokers } from '../deploy/kafka/local-kafka.ts'
import type { Config } from '../runtime/config.ts'
import { RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { KafkaClient } from '../wire/client.ts'
import { createKafkaClient } from '../wire/kafka.ts'

/**
 * @returns host:port of each broker
 * @throws RingsideError UNAVAILABLE when none is named and none runs here
 */
export const resolveBrokers = async (config: Config): Promise<readonly string[]> => {
  const brokers = config.brokers.length > 0 ? config.brokers : await findLocalBrokers(config.stateDir)
  if (brokers !== undefined && brokers.length > 0) return brokers
  throw new RingsideError(
    'UNAVAILABLE',
    `no Kafka: none is named and none runs with its state in ${config.stateDir}. ` +
      'Start `ringside up`, or name a cluster with --brokers or RINGSIDE_BROKERS'
  )
}

/** A client for the cluster of resolveBrokers; connects when first used. */
export const connect = async (config: Config, verb: string, log: Log): Promise<KafkaClient> =>
  createKafkaClient({ brokers: await resolveBrokers(config), clientId: `ringside-${verb}`, log })
