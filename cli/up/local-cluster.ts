// The local Kafka of `up`: restarted on the same port and state when it dies, until it is stopped.
import { setTimeout as delay } from 'node:timers/promises'
import { type LocalKafka, startLocalKafka } from '../../deploy/kafka/local-kafka.ts'
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'

export interface LocalCluster {
  readonly brokers: readonly string[]
  readonly restarts: number
  stop(): Promise<void>
}

const firstBackoffMs = 500
const longestBackoffMs = 16_000

/**
 * @param onLine called with each death and restart
 * @throws errors of the first startLocalKafka
 */
export const startLocalCluster = async (
  config: Config,
  log: Log,
  onLine: (text: string) => void
): Promise<LocalCluster> => {
  const start = (): Promise<LocalKafka> =>
    startLocalKafka({ stateDir: config.stateDir, port: config.kafka.port, heapMb: config.kafka.heapMb, log })
  const stopping = new AbortController()
  let running: LocalKafka | undefined = await start()
  let restarts = 0
  const { brokers } = running

  const watch = async (): Promise<void> => {
    let backoffMs = firstBackoffMs
    while (!stopping.signal.aborted) {
      if (running !== undefined) {
        await running.exited
        running = undefined
        if (stopping.signal.aborted) return
        onLine('Kafka ended unexpectedly, restarting it')
      }
      try {
        running = await start()
        restarts += 1
        backoffMs = firstBackoffMs
        onLine(`Kafka is back on ${brokers.join(', ')}`)
      } catch (error) {
        const text = `Kafka did not start, retrying in ${backoffMs / 1000} s: ${messageOf(error)}`
        for (const line of text.split('\n')) onLine(line)
        await delay(backoffMs, undefined, { signal: stopping.signal }).catch(() => {})
        backoffMs = Math.min(2 * backoffMs, longestBackoffMs)
      }
    }
  }
  const watching = watch()
  return {
    brokers,
    get restarts() {
      return restarts
    },
    stop: async () => {
      stopping.abort()
      await running?.stop()
      await watching
      // A start may have been under way.
      await running?.stop()
    }
  }
}
