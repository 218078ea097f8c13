// The panel service: topics → store → open pages. It joins no consumer group and commits no offset.
import { join } from 'node:path'
import ringside from '../../package.json' with { type: 'json' }
import type { Config } from '../../runtime/config.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Service } from '../../runtime/service.ts'
import type { KafkaClient } from '../../wire/client.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { topicName } from '../../wire/topics.ts'
import { Feed } from './feed.ts'
import { type PanelCounters, panelMetrics } from './metrics.ts'
import { LivePages } from './server/live-pages.ts'
import { searchAudit } from './server/search-audit.ts'
import { startServer } from './server/server.ts'
import { ServiceStates, watchedServices } from './service-states.ts'
import { Store } from './state/store.ts'

export interface PanelOptions {
  readonly config: Pick<Config, 'brokers' | 'topicPrefix' | 'rollups' | 'panel'>
  readonly log: Log
  /** Folder of the built page. */
  readonly pageDir?: string
}

export interface Panel extends Service {
  /** Address of the page. */
  readonly url: string
}

const builtPage = join(import.meta.dirname, '../../build/panel')
const lagEveryMs = 2000

/** Polls lag and members of the services, and marks the data as stale while Kafka does not respond; @returns the function that stops it */
const watchLag = (client: KafkaClient, { config, log }: PanelOptions, store: Store, feed: Feed): (() => void) => {
  const groups = watchedServices.map((service) => `${config.topicPrefix}${service}`)
  const states = new ServiceStates(groups)
  let isPolling = false
  const poll = async (): Promise<void> => {
    if (isPolling) return
    isPolling = true
    try {
      const progress = await client.progress(groups, [topicName(config, 'events')])
      store.setServices(states.update(progress, await client.members(groups), Date.now()))
      feed.setStaleReason('lag', undefined)
    } catch (error) {
      log.debug(messageOf(error))
      feed.setStaleReason('lag', `${messageOf(error)}. The page keeps the last data and continues once Kafka responds.`)
    } finally {
      isPolling = false
    }
  }
  const timer = setInterval(poll, lagEveryMs)
  void poll()
  return () => clearInterval(timer)
}

/**
 * Starts the server without waiting for Kafka.
 * @throws RingsideError CONFIG when panel.listen is empty or cannot be listened on
 */
export const startPanel = async (options: PanelOptions): Promise<Panel> => {
  const { config, log, pageDir = builtPage } = options
  if (config.panel.listen === '') throw new RingsideError('CONFIG', 'panel.listen is empty: set a port, such as 9465')
  const client = createKafkaClient({ brokers: config.brokers, clientId: 'ringside-panel', log })
  const store = new Store({ windowsMs: config.rollups.windowsMs })
  const { version } = ringside
  const pages = new LivePages({ store, version, log })
  const auditTopic = topicName(config, 'audit')
  const topics = {
    rollups: topicName(config, 'rollups'),
    hosts: topicName(config, 'hosts'),
    alerts: topicName(config, 'alerts')
  }
  const feed = new Feed({ client, store, topics, log })
  const server = await startServer({
    ...config.panel,
    token: config.panel.token,
    version,
    pages,
    problems: () => feed.problems(),
    searchAudit: (query, signal) => searchAudit({ client, topic: auditTopic, query, signal }),
    pageDir,
    log
  }).catch((error: unknown) => {
    pages.close()
    throw error
  })
  log.info({ url: server.url }, 'panel listening')
  feed.start()
  const stopWatching = watchLag(client, options, store, feed)
  const done = Promise.withResolvers<void>()
  const ended = Promise.race([done.promise, feed.done])
  // The host may await it only after it has rejected.
  ended.catch(() => {})
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopWatching()
    pages.close()
    await server.close()
    await feed.stop()
    done.resolve()
  }
  const counters = (): PanelCounters => ({
    sockets: pages.size,
    sent: pages.sent,
    skipped: pages.skipped,
    rows: store.rows,
    messages: feed.messages,
    unreadable: feed.unreadable
  })
  const stopOnce = (): Promise<void> => {
    stopped ??= stop()
    return stopped
  }
  return {
    url: server.url,
    counters: () => ({ ...counters() }),
    metrics: panelMetrics(counters),
    problems: () => feed.problems(),
    done: ended,
    drain: stopOnce,
    stop: stopOnce
  }
}
