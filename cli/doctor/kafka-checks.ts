// Checks that Kafka answers and has Ringside's topics.
import { findLocalBrokers } from '../../deploy/kafka/local-kafka.ts'
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { isWeak, repairCommand } from '../../wire/durability.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { topicSpecifications } from '../../wire/topics.ts'
import { type Check, type Finding, fail, ok, warn } from './check.ts'

const brokersOf = async (config: Config): Promise<readonly string[]> =>
  config.brokers.length > 0 ? config.brokers : ((await findLocalBrokers(config.stateDir)) ?? [])

const notRunning = warn(
  'no brokers are configured and no local Kafka runs',
  'start `ringside up`, or name brokers with --brokers'
)

const reachable = async (config: Config, log: Log): Promise<Finding> => {
  const brokers = await brokersOf(config)
  if (brokers.length === 0) return notRunning
  try {
    const cluster = await createKafkaClient({ brokers, clientId: 'ringside-doctor', log }).ping()
    return ok(`${brokers.join(', ')}: cluster ${cluster.clusterId} of ${cluster.brokers} broker(s)`)
  } catch (error) {
    return fail(
      `${brokers.join(', ')}: ${messageOf(error)}`,
      'check that Kafka runs and that its advertised listeners are reachable from here'
    )
  }
}

const topics = async (config: Config, log: Log): Promise<Finding> => {
  const brokers = await brokersOf(config)
  if (brokers.length === 0) return warn('not checked: no Kafka')
  const wanted = topicSpecifications(config).map(({ name }) => name)
  const client = createKafkaClient({ brokers, clientId: 'ringside-doctor', log })
  const described = await client.describeTopics(wanted)
  const found = new Set(described.map(({ name }) => name))
  const missing = wanted.filter((name) => !found.has(name))
  const [weak, ...others] = described.filter(isWeak)
  if (missing.length === 0 && weak !== undefined) {
    const names = [weak, ...others].map(({ name }) => name).join(', ')
    return warn(`the loss of one broker can lose acknowledged messages of ${names}`, repairCommand(weak.name, brokers))
  }
  if (missing.length === 0) return ok(`all ${wanted.length} exist`)
  return warn(
    `missing: ${missing.join(', ')}`,
    'create them with `ringside topics create`; `ringside up` creates them, too'
  )
}

export const kafkaChecks = (config: Config, log: Log): Check[] => [
  { name: 'kafka', run: () => reachable(config, log) },
  { name: 'topics', run: () => topics(config, log) }
]
