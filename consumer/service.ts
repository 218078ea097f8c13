// Runs a handler as a service: configuration and a handler module in, a running consumer out.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../runtime/config.ts'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { MetricFamily } from '../runtime/metric-family.ts'
import type { Service } from '../runtime/service.ts'
import { reportDurability } from '../wire/durability.ts'
import { createKafkaClient } from '../wire/kafka.ts'
import { topicName, topicNames } from '../wire/topics.ts'
import type { HandlerModule } from './handler.ts'
import { ConsumeLoop } from './loop/consume-loop.ts'
import { consumerProblems } from './loop/health.ts'
import { consumerMetrics } from './loop/metrics.ts'

export interface ConsumerServiceOptions {
  /** Names the consumer group, after the topic prefix. Instances of one name divide the partitions among them. */
  readonly name: string
  readonly module: HandlerModule
  /** Needs at least one broker. */
  readonly config: Config
  readonly log: Log
  /** Where to start when the group has no committed offset; default: earliest. */
  readonly from?: 'earliest' | 'latest'
}

/**
 * Starts the service without waiting for Kafka: it reads as soon as a broker answers, and again after each outage.
 * Counters: batches and events (handled); replayed (events read again after a restart, to rebuild state); duplicates
 * (events dropped because they were handled before); rejected (rows left
 * out for impossible values); rollups, hosts, alerts, alertUpdates, audit, other, deadletters
 * (records published); lagRecords (messages not yet read); and the handler's own.
 */
export const startConsumer = async ({ name, module, config, log, from }: ConsumerServiceOptions): Promise<Service> => {
  const client = createKafkaClient({ brokers: config.brokers, clientId: `ringside-${name}`, log })
  const topics = topicNames.map((topic) => topicName(config, topic))
  void reportDurability({ client, topics, brokers: config.brokers, log })
  const loop = await ConsumeLoop.start({
    service: name,
    group: `${config.topicPrefix}${name}`,
    module,
    client,
    config,
    from: from ?? 'earliest',
    log
  })
  return {
    counters: () => loop.counters(),
    metrics: [...consumerMetrics(loop), ...metricsOf(module)],
    problems: () => consumerProblems(loop),
    done: loop.done,
    drain: () => loop.drain(),
    stop: () => loop.stop()
  }
}

const metricsOf = (module: HandlerModule): readonly MetricFamily[] =>
  typeof module === 'object' && 'handlers' in module ? (module.metrics ?? []) : []

const isHandlerModule = (value: unknown): value is HandlerModule => {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null) return false
  if ('create' in value) return typeof value.create === 'function'
  if (!('handlers' in value) || typeof value.handlers !== 'object' || value.handlers === null) return false
  return Object.values(value.handlers).every((create) => typeof create === 'function')
}

/**
 * Loads a user's handler: the default export of a module, a HandlerModule.
 * @param path relative to the working directory
 * @throws RingsideError NO_INPUT when the file does not exist, DATA when it does not load or exports no handler
 */
export const loadHandlerModule = async (path: string): Promise<HandlerModule> => {
  const url = pathToFileURL(resolve(path)).href
  let loaded: { readonly default?: unknown }
  try {
    loaded = await import(url)
  } catch (cause) {
    const isMissing = cause instanceof Error && 'url' in cause && cause.url === url
    if (isMissing) throw new RingsideError('NO_INPUT', `handler file ${path} does not exist`, { cause })
    throw new RingsideError('DATA', `handler ${path} does not load: ${messageOf(cause)}`, { cause })
  }
  if (isHandlerModule(loaded.default)) return loaded.default
  throw new RingsideError(
    'DATA',
    `handler ${path} exports ${typeof loaded.default} as default: export a function (batch, context) => outputs, { create(partition) }, or { handlers }`
  )
}
