// Everything about the library kafkajs 2.2.4 that is not Kafka: its codec slot, its logs, its errors. The only file that
// imports it; its siblings in wire/ take its types from here.
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { ConnectionOptions, ReceivedMessage } from '../client.ts'
import { patchKafkajs } from './patches.ts'

export type { Admin, Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka, Producer, Transaction } from 'kafkajs'

const {
  CompressionCodecs,
  CompressionTypes,
  Kafka,
  KafkaJSAggregateError,
  KafkaJSError,
  KafkaJSProtocolError,
  logLevel,
  Partitioners
} = kafkajs

export const zstd = CompressionTypes.ZSTD
export const uncompressed = CompressionTypes.None
export const createPartitioner = Partitioners.DefaultPartitioner

/** Ceiling for what one record batch may unpack to: brokers take 1–2 MB, events pack about tenfold. */
const maxUnpackedBytes = 256 << 20
/** A thousand events fit: a third less CPU than with Node's 16 KiB, whose pieces have to be put together. */
const unpackedChunkBytes = 64 << 10

// Synchronous: 0.2 ms for a batch of 100 KB, where the thread pool costs 0.3 ms of CPU and twice the wait.
CompressionCodecs[zstd] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) =>
    zstdCompressSync(buffer, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
  decompress: async (packed: Buffer) =>
    zstdDecompressSync(packed, { maxOutputLength: maxUnpackedBytes, chunkSize: unpackedChunkBytes })
})

/**
 * kafkajs requires each file of its protocol when it first needs it. Loads them all now (about 0.2 s, once), for
 * a process that is about to lose the right to read them. By the names that kafkajs itself uses: Node remembers
 * what a name stands for in a folder, and looks at the disk for any other.
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

/** kafkajs reports each failed attempt as an error and then retries: the same words once in this time. */
const repeatAfterMs = 30_000

const logTo = (log: Log) => {
  const lastSaid = new Map<string, number>()
  return () =>
    ({ namespace, level, log: { message, logger: _, timestamp: __, ...details } }: kafkajs.LogEntry) => {
      if (level === logLevel.DEBUG) return log.trace({ namespace, ...details }, message)
      if (level === logLevel.INFO) return log.debug({ namespace, ...details }, message)
      const now = Date.now()
      if (now - (lastSaid.get(message) ?? 0) < repeatAfterMs) return
      if (lastSaid.size > 100) lastSaid.clear()
      lastSaid.set(message, now)
      const { stack: ___, ...facts } = details
      log[level === logLevel.ERROR ? 'warn' : 'info']({ namespace, ...facts }, `kafkajs: ${message}`)
    }
}

/**
 * How often kafkajs itself tries again, 0.1 s, 0.2 s, 0.4 s … 1 s apart: `quick` gives up after a second,
 * since such calls are repeated in kafka*.ts; `steady` lasts 17 s, in which a broker restarts and still
 * knows the members of its groups. One that crashed must wait until its former self is forgotten.
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

/** The broker's own name for what went wrong, such as MESSAGE_TOO_LARGE, if it was the broker that said no. */
export const protocolErrorOf = (error: unknown): string | undefined => {
  const root = rootOf(error)
  return root instanceof KafkaJSProtocolError ? root.type : undefined
}

/** True when another producer took over the transactional id, or the broker ended its transaction for taking too long. */
export const isFenced = (error: unknown): boolean =>
  ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'].includes(protocolErrorOf(error) ?? '')

/** What a broker says of a producer or its transaction, not of what was sent: a new producer can do it. */
const ofProducer: ReadonlySet<string | undefined> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'TRANSACTION_COORDINATOR_FENCED',
  'UNKNOWN_PRODUCER_ID'
])

/** What kafkajs calls final, and brokers that start or stop give rise to. */
const ofRestart: ReadonlySet<string> = new Set([
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSTimeout'
])

/** True when a topic is not there: never made, deleted, or so new that the broker asked does not know it yet. */
export const isMissingTopic = (error: unknown): boolean => protocolErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION'

/** True when the same call may succeed later: networks (errors with a code of the system), elections, restarts. */
export const isPassing = (error: unknown): boolean => {
  const root = rootOf(error)
  if (root instanceof KafkaJSError)
    return root.retriable || ofRestart.has(root.name) || ofProducer.has(protocolErrorOf(root))
  return root instanceof Error && 'code' in root
}

/** @param what that failed, as the beginning of the message: "cannot create topics" */
export const toRingsideError = (error: unknown, what: string, brokers: readonly string[]): RingsideError => {
  if (error instanceof RingsideError) return error
  const where = brokers.join(', ')
  const message = messageOf(rootOf(error))
  if (isMissingTopic(error)) {
    const why = `${what}: Kafka at ${where} has no such topic; \`ringside topics create\` makes Ringside's own`
    return new RingsideError('UNAVAILABLE', why, { cause: error })
  }
  if (isFenced(error)) {
    return new RingsideError('FENCED', `${what}: another instance took over at ${where}, or it took too long`, {
      cause: error
    })
  }
  if (isPassing(error)) {
    return new RingsideError('UNAVAILABLE', `${what}: Kafka at ${where} does not answer or is not ready: ${message}`, {
      cause: error
    })
  }
  return new RingsideError('DATA', `${what}: Kafka at ${where} refuses: ${message}`, { cause: error })
}

const toText = (value: kafkajs.IHeaders[string]): string => {
  const one = Array.isArray(value) ? value.at(-1) : value
  return one === undefined ? '' : one.toString('utf8')
}

export const toReceivedMessage = ({
  key,
  value,
  headers,
  offset,
  timestamp
}: kafkajs.KafkaMessage): ReceivedMessage => ({
  key,
  value,
  headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, toText(text)])),
  offset: BigInt(offset),
  timestampMs: Number(timestamp)
})
