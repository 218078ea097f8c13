// The Kafka of a verb: the configured brokers, else the local Kafka of `ringside up`.
import { findLocalBrokers } from '../deploy/kafka/local-kafka.ts'
import type { Config } from '../runtime/config.ts'
import { RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { KafkaClient } from '../wire/client.ts'
import { createKafkaClient } from '../wire/kafka.ts'

/**
 * @returns host:port of each broker
 * @throws RingsideError UNAVAILABLE when none is configured and no local Kafka runs
 */
export const resolveBrokers = async (config: Config): Promise<readonly string[]> => {
  const brokers = config.brokers.length > 0 ? config.brokers : await findLocalBrokers(config.stateDir)
  if (brokers !== undefined && brokers.length > 0) return brokers
  throw new RingsideError(
    'UNAVAILABLE',
    `no Kafka: no brokers are configured, and no local Kafka runs in state folder ${config.stateDir}. ` +
      'Start `ringside up`, or name brokers with --brokers or RINGSIDE_BROKERS'
  )
}

/** A client of the brokers of resolveBrokers. It connects when it is first used. */
export const connect = async (config: Config, verb: string, log: Log): Promise<KafkaClient> =>
  createKafkaClient({ brokers: await resolveBrokers(config), clientId: `ringside-${verb}`, log })
