// `ringside up` from start to summary: starts Kafka, topics and services, then stops them in reverse order.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../runtime/config.ts'
import type { Log } from '../../runtime/log.ts'
import type { KafkaClient } from '../../wire/client.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { topicSpecifications } from '../../wire/topics.ts'
import { lacksForLiveKernel } from '../live-kernel.ts'
import { checkServices } from '../run/check-service.ts'
import { formatDuration } from '../terminal/duration.ts'
import type { Progress } from '../terminal/progress.ts'
import { showFirstEvents, watchAlerts } from './feeds.ts'
import { type LocalCluster, startLocalCluster } from './local-cluster.ts'
import { consumerNames, Services } from './services.ts'
import { lockState, type StateLock } from './state-lock.ts'
import { formatStatus, type Moment } from './status-line.ts'
import { type Summary, summarize } from './summary.ts'

export interface UpOptions {
  readonly config: Config
  /** Ends by itself after this time; undefined: runs until a signal. */
  readonly forMs: number | undefined
  /** A recording in place of the live kernel. */
  readonly source: string | undefined
  readonly progress: Progress
  readonly log: Log
}

export interface UpResult {
  readonly summary: Summary
  /** Services that failed and were not restarted. */
  readonly failed: readonly string[]
}

const statusEveryMs = 2000
/** Timers of Node take at most 2^31 - 1. */
const longestTimerMs = 2 ** 31 - 1

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** The first signal drains, the second one stops. */
const onSignals = (drain: () => void, stop: () => void): (() => void) => {
  let signals = 0
  const onSignal = (): void => {
    signals += 1
    if (signals === 1) drain()
    else stop()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
}

const edgeArgsFor = (source: string | undefined, progress: Progress): string[] | undefined => {
  if (source !== undefined) return ['--source', source]
  const lacks = lacksForLiveKernel()
  if (lacks.length === 0) return ['--ignore-family']
  const reasons = lacks.map(({ missing, remedy }) => `${missing} (${remedy})`).join('; ')
  progress.line(`edge not started, everything else runs: ${reasons}`)
  return undefined
}

const openCluster = async (
  config: Config,
  log: Log,
  progress: Progress
): Promise<{ cluster: LocalCluster | undefined; client: KafkaClient; brokers: readonly string[] }> => {
  const connectTo = (brokers: readonly string[]): KafkaClient =>
    createKafkaClient({ brokers, clientId: 'ringside-up', log })
  if (config.brokers.length > 0) {
    const client = connectTo(config.brokers)
    const { brokers, clusterId } = await client.ping()
    progress.line(`Kafka at ${config.brokers.join(', ')}: cluster ${clusterId} of ${brokers} broker(s)`)
    return { cluster: undefined, client, brokers: config.brokers }
  }
  progress.line('starting Kafka')
  const startedMs = performance.now()
  const cluster = await startLocalCluster(config, log, (text) => progress.line(text))
  progress.line(`Kafka ready on ${cluster.brokers.join(', ')} in ${seconds(performance.now() - startedMs)}`)
  return { cluster, client: connectTo(cluster.brokers), brokers: cluster.brokers }
}

/** A legitimate cause of a difference between the events that the edge published and those that consumers read. */
const otherTrafficOf = (cluster: LocalCluster | undefined, lock: StateLock): string | undefined => {
  if (cluster === undefined) return 'other edges may publish to these topics'
  if (cluster.restarts > 0) return 'Kafka restarted, and consumers read uncommitted events a second time'
  return lock.previousWasCutOff ? 'the previous run was cut off, and may have left unread events' : undefined
}

/**
 * Runs everything until the time is up or a signal arrives.
 * @throws RingsideError for a wrong setting, rule or recording, before anything is started; when another `up` uses the state folder, or Kafka does not start
 */
export const runUp = async ({ config, forMs, source, progress, log }: UpOptions): Promise<UpResult> => {
  const edgeArgs = edgeArgsFor(source, progress)
  await checkServices(edgeArgs === undefined ? consumerNames : ['edge', ...consumerNames], config, { source })
  const lock = lockState(config.stateDir)
  const ending = new AbortController()
  let services: Services | undefined
  const ignoreSignals = onSignals(
    () => ending.abort(),
    () => services?.stop()
  )
  let cluster: LocalCluster | undefined
  let inOrder = false
  try {
    const opened = await openCluster(config, log, progress)
    cluster = opened.cluster
    const { client, brokers } = opened
    const created = await client.ensureTopics(topicSpecifications(config))
    if (created.length > 0) progress.line(`created ${created.length} topics`)

    const sinceMs = Date.now()
    services = new Services({
      config: { ...config, brokers: [...brokers] },
      edgeArgs,
      onLine: (text) => progress.line(text)
    })
    const feeds = new AbortController()
    const feed = { client, config, log, sinceMs, signal: feeds.signal }
    const feeding = Promise.all([
      showFirstEvents(feed, (lines) => {
        progress.line(`first events after ${seconds(performance.now())}`)
        for (const line of lines) progress.line(`  ${line}`)
      }),
      watchAlerts(feed, (alert) => progress.line(`ALERT ${alert.severity} ${alert.rule}: ${alert.explanation}`))
    ])

    if (!ending.signal.aborted) await Promise.race([services.start(), once(ending.signal, 'abort')])
    const startedMs = performance.now()
    if (!ending.signal.aborted) {
      const running = services.all.filter(({ state }) => state === 'running').map(({ name }) => name)
      progress.line(
        `running: ${running.join(', ')}${forMs === undefined ? '; Ctrl-C stops it' : `, for ${formatDuration(forMs)}`}`
      )
    }
    await watchUntilEnd(services, progress, forMs, ending.signal)

    progress.clear()
    progress.line('stopping: edge, consumers, panel, Kafka (a second signal skips unread events)')
    await services.drain()
    inOrder = services.essential.every(({ state, complete }) => complete && state !== 'failed')
    feeds.abort()
    await feeding
    const summary = summarize({
      ...services.counts(),
      otherTraffic: otherTrafficOf(cluster, lock),
      durationMs: performance.now() - startedMs
    })
    return { summary, failed: services.essential.filter(({ state }) => state === 'failed').map(({ name }) => name) }
  } finally {
    await cluster?.stop()
    lock.release(inOrder)
    ignoreSignals()
  }
}

const watchUntilEnd = async (
  services: Services,
  progress: Progress,
  forMs: number | undefined,
  ending: AbortSignal
): Promise<void> => {
  const now = (): Moment => ({ atMs: performance.now(), totals: services.totals() })
  const start = now()
  let before = start
  const timer = setInterval(() => {
    const current = now()
    progress.status(formatStatus(start, before, current))
    before = current
  }, statusEveryMs)
  const endMs = start.atMs + (forMs ?? Number.POSITIVE_INFINITY)
  while (!ending.aborted && performance.now() < endMs) {
    const leftMs = Math.min(endMs - performance.now(), longestTimerMs)
    await delay(leftMs, undefined, { signal: ending }).catch(() => {})
  }
  clearInterval(timer)
}
