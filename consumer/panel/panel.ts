// The panel as a service: topics → store → open pages. It takes no part in any group and commits nothing.
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
import { serviceLags, watchedServices } from './service-lags.ts'
import { Store } from './state/store.ts'

export interface PanelOptions {
  readonly config: Pick<Config, 'brokers' | 'topicPrefix' | 'rollups' | 'panel'>
  readonly log: Log
  /** Where the built page is. */
  readonly pageDir?: string
}

export interface Panel extends Service {
  /** Where people find it. */
  readonly url: string
}

const builtPage = join(import.meta.dirname, '../../build/panel')
const lagEveryMs = 2000

/** Asks every few seconds, and tells when Kafka does not answer; @returns what ends it */
const watchLag = (client: KafkaClient, { config, log }: PanelOptions, store: Store, feed: Feed): (() => void) => {
  const groups = watchedServices.map((service) => `${config.topicPrefix}${service}`)
  let isAsking = false
  const ask = async (): Promise<void> => {
    if (isAsking) return
    isAsking = true
    try {
      store.setLags(serviceLags(await client.progress(groups, [topicName(config, 'events')]), groups))
      feed.trouble('lag', undefined)
    } catch (error) {
      log.debug(messageOf(error))
      feed.trouble('lag', `${messageOf(error)}. What is shown is what came before; it goes on by itself.`)
    } finally {
      isAsking = false
    }
  }
  const timer = setInterval(ask, lagEveryMs)
  void ask()
  return () => clearInterval(timer)
}

/**
 * Listens, and shows what there is as it comes; it does not wait for Kafka.
 * @throws RingsideError CONFIG when it is to listen nowhere, or where it cannot
 */
export const startPanel = async (options: PanelOptions): Promise<Panel> => {
  const { config, log, pageDir = builtPage } = options
  if (config.panel.listen === '')
    throw new RingsideError('CONFIG', 'panel.listen is empty: give it a port, such as 9465')
  const client = createKafkaClient({ brokers: config.brokers, clientId: 'ringside-panel', log })
  const store = new Store({ windowsMs: config.rollups.windowsMs })
  const { version } = ringside
  const pages = new LivePages({ store, version, log })
  const auditTopic = topicName(config, 'audit')
  const server = await startServer({
    ...config.panel,
    token: config.panel.token,
    version,
    pages,
    searchAudit: (query, signal) => searchAudit({ client, topic: auditTopic, query, signal }),
    pageDir,
    log
  }).catch((error: unknown) => {
    pages.close()
    throw error
  })
  log.info({ url: server.url }, 'the panel listens')
  const topics = {
    rollups: topicName(config, 'rollups'),
    hosts: topicName(config, 'hosts'),
    alerts: topicName(config, 'alerts')
  }
  const feed = new Feed({ client, store, topics, log })
  feed.start()
  const stopWatching = watchLag(client, options, store, feed)
  const done = Promise.withResolvers<void>()
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopWatching()
    pages.close()
    await server.close()
    await feed.stop()
    done.resolve()
  }
  const counters = (): PanelCounters => ({
    sockets: pages.sockets,
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
    done: done.promise,
    drain: stopOnce,
    stop: stopOnce
  }
}
