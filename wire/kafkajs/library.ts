// Adapter to kafkajs 2.2.4: its codecs, logs, retries and errors. The other files of
// this folder import the package's types from here; patches.ts replaces its internals.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { ConnectionOptions } from '../client.ts'
import { patchKafkajs } from './patches.ts'

export type { Admin, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka, Producer, Transaction } from 'kafkajs'

const {
  CompressionCodecs,
  CompressionTypes,
  ConfigResourceTypes,
  Kafka,
  KafkaJSAggregateError,
  KafkaJSError,
  KafkaJSProtocolError,
  logLevel,
  Partitioners
} = kafkajs

export { ConfigResourceTypes }

export const zstd = CompressionTypes.ZSTD
export const uncompressed = CompressionTypes.None
export const createPartitioner = Partitioners.DefaultPartitioner

// Synchronous: 0.2 ms for a batch of 100 KB. The thread pool takes 0.3 ms of CPU and twice the latency.
CompressionCodecs[zstd] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) =>
    zstdCompressSync(buffer, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
  decompress: () => Promise.reject(new Error('compression.ts decompresses fetched batches'))
})

/**
 * Loads every file of kafkajs now (about 0.2 s), for a process that is about to lose the permission to read them: kafkajs
 * requires protocol files on first use. Uses the request strings of kafkajs itself: Node caches how each resolves in a
 * folder, and would look at the disk for any other string.
 */
export const preloadKafkajs = (): void => {
  const source = join(dirname(createRequire(import.meta.url).resolve('kafkajs/package.json')), 'src')
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue
    const file = join(source, name)
    const requireFrom = createRequire(file)
    for (const [, request = ''] of readFileSync(file, 'utf8').matchAll(/require\('(\.[^']*)'\)/g)) requireFrom(request)
  }
}

patchKafkajs()

/** kafkajs logs every failed attempt and then retries: each message is logged at most once in this time. */
const repeatAfterMs = 30_000

const logTo = (log: Log) => {
  const lastLogged = new Map<string, number>()
  return () =>
    ({ namespace, level, log: { message, logger: _, timestamp: __, ...details } }: kafkajs.LogEntry) => {
      if (level === logLevel.DEBUG) return log.trace({ namespace, ...details }, message)
      if (level === logLevel.INFO) return log.debug({ namespace, ...details }, message)
      const now = Date.now()
      if (now - (lastLogged.get(message) ?? 0) < repeatAfterMs) return
      if (lastLogged.size > 100) lastLogged.clear()
      lastLogged.set(message, now)
      const { stack: ___, ...facts } = details
      log[level === logLevel.ERROR ? 'warn' : 'info']({ namespace, ...facts }, `kafkajs: ${message}`)
    }
}

/**
 * Retries of kafkajs itself, after 0.1 s, 0.2 s, 0.4 s … at most 1 s. `quick` gives up after a second: the callers in this
 * folder retry. `steady` gives up after 17 s, longer than a broker's restart: members keep their place in the group,
 * while a new member waits until the session of the old one expires.
 */
export const retries = { quick: 3, steady: 20 } as const

export const createKafkaJs = ({ brokers, clientId, log }: ConnectionOptions, retries: number): kafkajs.Kafka =>
  new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries, restartOnFailure: async () => false },
    logLevel: log.isLevelEnabled('trace') ? logLevel.DEBUG : logLevel.INFO,
    logCreator: logTo(log.child({ component: 'kafkajs' }))
  })

const rootOf = (error: unknown): unknown => {
  if (error instanceof KafkaJSAggregateError) return rootOf(error.errors[0])
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error
}

/** The Kafka protocol's error code, such as MESSAGE_TOO_LARGE; undefined when the error is not a broker's answer. */
export const protocolErrorOf = (error: unknown): string | undefined => {
  const root = rootOf(error)
  return root instanceof KafkaJSProtocolError ? root.type : undefined
}

/** True when another producer took over the transactional id, or the broker aborted its transaction after the timeout. */
export const isFenced = (error: unknown): boolean =>
  ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'].includes(protocolErrorOf(error) ?? '')

/** Errors about the state of a producer or transaction, not about the messages: a new producer can retry. */
const producerErrors: ReadonlySet<string | undefined> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'TRANSACTION_COORDINATOR_FENCED',
  'UNKNOWN_PRODUCER_ID'
])

/** Errors that kafkajs calls final, but that a starting or stopping broker causes. */
const restartErrors: ReadonlySet<string> = new Set([
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSTimeout'
])

/** True when a topic does not exist: never created, deleted, or so new that the broker does not know it yet. */
export const isMissingTopic = (error: unknown): boolean => protocolErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION'

/** ECONNRESET, ENOTFOUND …: what Node itself finds wrong, as an argument of a wrong type, begins with ERR_. */
const isSystemError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^E(?!RR_)[A-Z0-9_]+$/.test(String(error.code))

/** True when the same call may succeed later: lost connections, elections, restarts. */
export const isTransient = (error: unknown): boolean => {
  const root = rootOf(error)
  if (root instanceof RingsideError) return root.canRetry
  if (root instanceof KafkaJSError)
    return root.retriable || restartErrors.has(root.name) || producerErrors.has(protocolErrorOf(root))
  return isSystemError(root)
}

/** @param action start of the message: "cannot create topics" */
export const toRingsideError = (error: unknown, action: string, brokers: readonly string[]): RingsideError => {
  if (error instanceof RingsideError) return error
  const where = brokers.join(', ')
  const message = messageOf(rootOf(error))
  if (isMissingTopic(error)) {
    const why = `${action}: the topic does not exist at ${where}; create Ringside's topics with \`ringside topics create\``
    return new RingsideError('UNAVAILABLE', why, { cause: error })
  }
  if (isFenced(error)) {
    return new RingsideError(
      'FENCED',
      `${action}: another instance took over, or the transaction timed out (${where})`,
      {
        cause: error
      }
    )
  }
  if (isTransient(error)) {
    return new RingsideError(
      'UNAVAILABLE',
      `${action}: Kafka at ${where} does not answer or is not ready: ${message}`,
      {
        cause: error
      }
    )
  }
  if (!(rootOf(error) instanceof KafkaJSError))
    return new RingsideError('SOFTWARE', `${action}: ${message}`, { cause: error })
  return new RingsideError('DATA', `${action}: Kafka at ${where} refuses: ${message}`, { cause: error })
}
