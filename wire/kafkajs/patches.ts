// Replacements for methods of kafkajs 2.2.4, each with its reason: a defect, or a measurable cost. They fit this version
// only; docs/adr/0007 lists all of them.
import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'

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

interface FetchedRecord {
  readonly offset: string
  readonly key: Buffer | null
  isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
}

interface FetchedPartition {
  readonly messages: readonly FetchedRecord[]
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[]
}

interface Broker {
  listOffsets(request: { readonly isolationLevel: number | undefined }): Promise<unknown>
  fetch(request: unknown): Promise<{ responses: readonly { partitions: readonly FetchedPartition[] }[] }>
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
const hideAborted = (partition: FetchedPartition): void => {
  const pending = partition.abortedTransactions.map(({ producerId, firstOffset }) => ({
    producerId,
    first: BigInt(firstOffset)
  }))
  if (pending.length === 0) return
  pending.sort((a, b) => Number(b.first - a.first))
  const aborting = new Set<string>()
  for (const message of partition.messages) {
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
  const { listOffsets, fetch, addPartitionsToTxn, addOffsetsToTxn } = prototype
  // The end of a partition is after its last message, committed or not: the marker of a committed transaction may still
  // be missing. kafkajs would ask for the start of the first open transaction.
  prototype.listOffsets = function (request) {
    return listOffsets.call(this, { ...request, isolationLevel: request.isolationLevel ?? readUncommitted })
  }
  prototype.fetch = async function (request) {
    const fetched = await fetch.call(this, request)
    for (const { partitions } of fetched.responses) partitions.forEach(hideAborted)
    return fetched
  }
  prototype.addPartitionsToTxn = function (request) {
    return awaitMarkers(() => addPartitionsToTxn.call(this, request))
  }
  prototype.addOffsetsToTxn = function (request) {
    return awaitMarkers(() => addOffsetsToTxn.call(this, request))
  }
}

/** Call it once, before the first client is created. */
export const patchKafkajs = (): void => {
  calmRequestQueue()
  cacheCoordinators()
  refuseMissingMetadata()
  patchTransactions()
}
