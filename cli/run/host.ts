// Hosts one service in this process: says when it is ready, reports its counters to the
// `ringside up` that started it, and ends it in order on a drain message, a signal, or when that
// `up` is gone. The last report before a clean exit holds the final counters.
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { MetricsListener } from '../../runtime/metrics.ts'
import type { DrainMessage, Service, ServiceMessage } from '../../runtime/service.ts'

const reportEveryMs = 500
const summaryEveryMs = 10_000

export interface HostOptions {
  readonly name: string
  readonly log: Log
  readonly start: () => Promise<Service>
  /** Where /metrics is served, if anywhere. */
  readonly metrics?: Config['metrics']
}

type Ending = 'drain' | 'stop'

const isDrainMessage = (message: unknown): message is DrainMessage =>
  typeof message === 'object' && message !== null && 'type' in message && message.type === 'drain'

const send = (message: ServiceMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    // An error means that the parent is gone, which `disconnect` tells already.
    else process.send(message, undefined, {}, () => resolve())
  })

/** Before the service starts: an address that is taken is known at once, and an edge has its privileges yet. */
const openMetrics = async ({ name, log, metrics }: HostOptions): Promise<MetricsListener | undefined> => {
  if (metrics === undefined || metrics.listen === '') return undefined
  const { listenForMetrics } = await import('../../runtime/metrics.ts')
  return listenForMetrics({ ...metrics, service: name, log })
}

/**
 * Runs the service until it ends by itself or is told to.
 * @throws what the service could not go on from
 */
export const host = async (options: HostOptions): Promise<void> => {
  const { name, log, start } = options
  let service: Service | undefined
  let asked: Ending | undefined
  const ending = Promise.withResolvers<void>()

  const end = (how: Ending, why: string): void => {
    if (asked === 'stop' || asked === how) return
    asked = how
    log.info({ why }, how === 'drain' ? 'finishing what is there, then stopping' : 'stopping')
    if (service !== undefined) finish(service, how)
  }
  const finish = (running: Service, how: Ending): void => {
    const finished = how === 'drain' ? running.drain() : running.stop()
    finished.then(ending.resolve, ending.reject)
  }

  let signals = 0
  const onProcessSignal = (signal: NodeJS.Signals): void => {
    signals += 1
    // A service that does not even stop gives way to the third signal.
    if (signals > 2) process.kill(process.pid, 'SIGKILL')
    end('stop', signal)
  }
  const onMessage = (message: unknown): void => {
    if (isDrainMessage(message)) end('drain', 'asked by ringside up')
  }
  const onDisconnect = (): void => end('stop', 'ringside up is gone')
  process.on('SIGINT', onProcessSignal).on('SIGTERM', onProcessSignal)
  process.on('message', onMessage).on('disconnect', onDisconnect)

  const timers: NodeJS.Timeout[] = []
  let metrics: MetricsListener | undefined
  try {
    metrics = await openMetrics(options)
    service = await start()
    const running = service
    metrics?.serve(running.metrics ?? [])
    const report = (): Promise<void> => send({ type: 'counters', service: name, counters: running.counters() })
    await send({ type: 'ready', service: name, ...(running.url === undefined ? {} : { url: running.url }) })
    log.info('ready')
    if (process.connected) timers.push(setInterval(report, reportEveryMs))
    timers.push(setInterval(() => log.info(running.counters(), 'counters'), summaryEveryMs))
    if (asked !== undefined) finish(running, asked)
    const endedByItself = await Promise.race([running.done.then(() => asked === undefined), ending.promise])
    if (endedByItself === true) await running.stop()
    else await ending.promise
    await report()
    if (endedByItself === true) await send({ type: 'ended', service: name })
    log.info(running.counters(), endedByItself === true ? 'came to its end' : 'stopped')
  } catch (error) {
    await service?.stop().catch((cause: unknown) => log.warn(messageOf(cause)))
    throw error
  } finally {
    for (const timer of timers) clearInterval(timer)
    metrics?.close()
    process.off('SIGINT', onProcessSignal).off('SIGTERM', onProcessSignal)
    process.off('message', onMessage).off('disconnect', onDisconnect)
    if (process.connected) process.disconnect()
  }
}
