// Hosts one service in this process: reports readiness and counters to the parent `ringside up`, and ends the service in
// order on a drain message, a signal, or the parent's end. The last report before a clean exit has the final counters.
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { MetricsListener } from '../../runtime/metrics-listener.ts'
import type { DrainMessage, Service, ServiceMessage } from '../../runtime/service.ts'

const reportEveryMs = 500
const summaryEveryMs = 10_000

export interface HostOptions {
  readonly name: string
  readonly log: Log
  readonly start: () => Promise<Service>
  /** Undefined serves no metrics. */
  readonly metrics?: Config['metrics']
}

type Ending = 'drain' | 'stop'

const isDrainMessage = (message: unknown): message is DrainMessage =>
  typeof message === 'object' && message !== null && 'type' in message && message.type === 'drain'

const send = (message: ServiceMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    // The callback's error means that the parent is gone: `disconnect` follows.
    else process.send(message, undefined, {}, () => resolve())
  })

/** Listens before the service starts: an address in use fails at once, and an edge still has its privileges. */
const openMetrics = async ({ name, log, metrics }: HostOptions): Promise<MetricsListener | undefined> => {
  if (metrics === undefined || metrics.listen === '') return undefined
  const { listenForMetrics } = await import('../../runtime/metrics-listener.ts')
  return listenForMetrics({ ...metrics, service: name, log })
}

/**
 * Runs the service until it ends by itself, or is ended.
 * @throws the error that ended the service
 */
export const host = async (options: HostOptions): Promise<void> => {
  const { name, log, start } = options
  let service: Service | undefined
  let requested: Ending | undefined
  const ending = Promise.withResolvers<void>()

  const end = (how: Ending, why: string): void => {
    if (requested === 'stop' || requested === how) return
    requested = how
    log.info({ why }, how === 'drain' ? 'finishing the input, then stopping' : 'stopping')
    if (service !== undefined) finish(service, how)
  }
  const finish = (running: Service, how: Ending): void => {
    const finished = how === 'drain' ? running.drain() : running.stop()
    finished.then(ending.resolve, ending.reject)
  }

  let signals = 0
  const onProcessSignal = (signal: NodeJS.Signals): void => {
    signals += 1
    // The third signal kills a service that does not stop.
    if (signals > 2) process.kill(process.pid, 'SIGKILL')
    end('stop', signal)
  }
  const onMessage = (message: unknown): void => {
    if (isDrainMessage(message)) end('drain', 'drain message of ringside up')
  }
  const onDisconnect = (): void => end('stop', 'ringside up ended')
  process.on('SIGINT', onProcessSignal).on('SIGTERM', onProcessSignal)
  process.on('message', onMessage).on('disconnect', onDisconnect)

  const timers: NodeJS.Timeout[] = []
  let metrics: MetricsListener | undefined
  try {
    metrics = await openMetrics(options)
    service = await start()
    const running = service
    metrics?.serve(running)
    const report = (): Promise<void> => send({ type: 'counters', service: name, counters: running.counters() })
    await send({ type: 'ready', service: name, ...(running.url === undefined ? {} : { url: running.url }) })
    log.info('ready')
    if (process.connected) timers.push(setInterval(report, reportEveryMs))
    timers.push(setInterval(() => log.info(running.counters(), 'counters'), summaryEveryMs))
    if (requested !== undefined) finish(running, requested)
    const endedByItself = await Promise.race([running.done.then(() => requested === undefined), ending.promise])
    if (endedByItself === true) await running.stop()
    else await ending.promise
    await report()
    if (endedByItself === true) await send({ type: 'ended', service: name })
    log.info(running.counters(), endedByItself === true ? 'ended: no more input' : 'stopped')
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
