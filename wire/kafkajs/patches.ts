// Replacements for methods of kafkajs 2.2.4, each with its reason: a defect, or a measurable cost. They fit this version
// only; docs/adr/0007 lists all of them.
import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import type { FetchedRecord } from './record-batches.ts'

const requireFromHere = createRequire(import.meta.url)

interface RequestQueue {
  throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  readonly pending: readonly unknown[]
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

/**
 * kafkajs sets this timer after every response, with a negative delay unless the broker throttles it. Node fires it after
 * 1 ms, which sets it again: some 850 timers a second on an idle client, and a TimeoutNegativeWarning on new versions
 * of Node. Here it is set only while requests are pending.
 */
const calmRequestQueue = (): void => {
  const path = 'kafkajs/src/network/requestQueue/index.js'
  const { prototype } = requireFromHere(path) as { prototype: RequestQueue }
  prototype.scheduleCheckPendingRequests = function () {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return
    const pollMs = 10
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      Math.max(pollMs, this.throttledUntil - Date.now())
    )
  }
}

interface FetchedPartition {
  readonly partition: number
  readonly highWatermark: string
  /** Bytes as the broker sent them, until they are decoded. */
  messages: Buffer | readonly FetchedRecord[]
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[]
}

interface FetchRequest {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[]
  }[]
}

interface FetchResponse {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[]
}

interface Broker {
  listOffsets(request: { readonly isolationLevel: number | undefined }): Promise<unknown>
  fetch(request: FetchRequest): Promise<FetchResponse>
  addPartitionsToTxn(request: unknown): Promise<unknown>
  addOffsetsToTxn(request: unknown): Promise<unknown>
}

/** Key of the control record that ends an aborted transaction: version 0, type 0. */
const abortMarker = Buffer.alloc(4)

/**
 * kafkajs expects aborted transactions sorted by first offset, and at most one that begins at a given message. Brokers
 * list them by their ends: where two overlap, kafkajs delivers aborted messages. Marked as control records, these
 * messages are hidden and still advance the position.
 */
const hideAborted = (partition: FetchedPartition, messages: readonly FetchedRecord[]): void => {
  const pending = partition.abortedTransactions.map(({ producerId, firstOffset }) => ({
    producerId,
    first: BigInt(firstOffset)
  }))
  if (pending.length === 0) return
  pending.sort((a, b) => Number(b.first - a.first))
  const aborting = new Set<string>()
  for (const message of messages) {
    const offset = BigInt(message.offset)
    for (let next = pending.at(-1); next !== undefined && next.first <= offset; next = pending.at(-1)) {
      aborting.add(next.producerId)
      pending.pop()
    }
    const { producerId, inTransaction } = message.batchContext
    if (message.isControlRecord) {
      if (message.key?.equals(abortMarker)) aborting.delete(producerId)
    } else if (inTransaction && aborting.has(producerId)) {
      message.isControlRecord = true
    }
  }
  partition.abortedTransactions = []
}

/** Brokers write the markers of a transaction some milliseconds after they acknowledge its end. */
const markersPollMs = 3
const markersPolls = 1000

const isConcurrent = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && error.type === 'CONCURRENT_TRANSACTIONS'

/**
 * Until the markers are written, brokers refuse the next transaction of the id with CONCURRENT_TRANSACTIONS. kafkajs
 * retries that after 0.1 s, or not at all.
 */
const awaitMarkers = async <T>(call: () => Promise<T>): Promise<T> => {
  for (let polls = 1; ; polls++) {
    try {
      return await call()
    } catch (error) {
      if (!isConcurrent(error) || polls === markersPolls) throw error
      await delay(markersPollMs)
    }
  }
}

interface Cluster {
  findGroupCoordinatorMetadata(of: { readonly groupId: string; readonly coordinatorType: number }): Promise<unknown>
  metadata(of: unknown): Promise<unknown>
}

const transactionCoordinator = 1

/**
 * kafkajs looks up the coordinator before each step of a transaction: nearly every second request. Here the cluster of a
 * transactional producer caches it. When the coordinator changes, a step fails and the producer is replaced.
 */
const cacheCoordinators = (): void => {
  const { prototype } = requireFromHere('kafkajs/src/cluster/index.js') as { prototype: Cluster }
  const { findGroupCoordinatorMetadata: find } = prototype
  const known = new WeakMap<Cluster, Map<string, unknown>>()
  prototype.findGroupCoordinatorMetadata = async function (of) {
    if (of.coordinatorType === transactionCoordinator && !known.has(this)) known.set(this, new Map())
    const found = known.get(this)
    const key = `${of.coordinatorType} ${of.groupId}`
    const coordinator = found?.get(key) ?? (await find.call(this, of))
    found?.set(key, coordinator)
    return coordinator
  }
}

/** When every known broker fails, kafkajs returns null, and its admin then reads a property of null. */
const refuseMissingMetadata = (): void => {
  const { prototype } = requireFromHere('kafkajs/src/cluster/index.js') as { prototype: Cluster }
  const { KafkaJSConnectionError } = requireFromHere('kafkajs/src/errors.js') as typeof import('kafkajs')
  const { metadata: ask } = prototype
  prototype.metadata = async function (of) {
    const metadata = await ask.call(this, of)
    if (metadata === null) throw new KafkaJSConnectionError('no broker answered a metadata request')
    return metadata
  }
}

const readUncommitted = 0

const patchTransactions = (): void => {
  const { prototype } = requireFromHere('kafkajs/src/broker/index.js') as { prototype: Broker }
  const { listOffsets, addPartitionsToTxn, addOffsetsToTxn } = prototype
  // The end of a partition is after its last message, committed or not: the marker of a committed transaction may still
  // be missing. kafkajs would ask for the start of the first open transaction.
  prototype.listOffsets = function (request) {
    return listOffsets.call(this, { ...request, isolationLevel: request.isolationLevel ?? readUncommitted })
  }
  prototype.addPartitionsToTxn = function (request) {
    return awaitMarkers(() => addPartitionsToTxn.call(this, request))
  }
  prototype.addOffsetsToTxn = function (request) {
    return awaitMarkers(() => addOffsetsToTxn.call(this, request))
  }
}

/**
 * kafkajs decodes batches where an error crashes the consumer: it lacks codecs, trusts every length, checks no CRC,
 * bounds no size, and 100,000 records of one batch overflow its stack. Here its protocol files leave the bytes as they
 * are, and Broker.fetch has them decoded in the order of the response, which brokers get in random order.
 */
const decodeFetched = (): void => {
  const path = requireFromHere.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js')
  requireFromHere(path)
  const decodeMessages = requireFromHere.cache[path] as NodeJS.Module
  decodeMessages.exports = async (decoder: { readBytes(): Buffer | null }): Promise<Buffer> =>
    decoder.readBytes() ?? Buffer.alloc(0)
  const { prototype } = requireFromHere('kafkajs/src/broker/index.js') as { prototype: Broker }
  const { fetch } = prototype
  prototype.fetch = async function (request) {
    // Only consumers need the native codecs: an edge has none of their memory.
    const { fetchBudget, readRecordBatches } = await import('./record-batches.ts')
    const fetched = await fetch.call(this, request)
    const budget = fetchBudget()
    for (const { topicName, partitions } of fetched.responses) {
      for (const fetchedPartition of partitions) {
        const from = fetchOffsetOf(request, topicName, fetchedPartition.partition)
        const range = { from, end: BigInt(fetchedPartition.highWatermark), budget }
        const messages = readRecordBatches(fetchedPartition.messages as Buffer, range)
        hideAborted(fetchedPartition, messages)
        fetchedPartition.messages = messages
      }
    }
    return fetched
  }
}

const fetchOffsetOf = ({ topics }: FetchRequest, name: string, partition: number): bigint => {
  const ofTopic = topics.find(({ topic }) => topic === name)
  return BigInt(ofTopic?.partitions.find((each) => each.partition === partition)?.fetchOffset ?? 0)
}

/** Call it once, before the first client is created. */
export const patchKafkajs = (): void => {
  calmRequestQueue()
  cacheCoordinators()
  refuseMissingMetadata()
  patchTransactions()
  decodeFetched()
}
