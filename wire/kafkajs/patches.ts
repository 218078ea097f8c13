// Methods of kafkajs 2.2.4 that are replaced, each with its reason: what it does wrong, or at a cost that is felt. Goes
// together with that very version; docs/adr/0007 has the whole list.
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
 * kafkajs arms this check after every response, with a delay in the past when nothing throttles:
 * Node fires it after 1 ms, which arms it again. That is some 850 timers a second on an idle client,
 * and a TimeoutNegativeWarning on new Node versions. Armed only while something waits, it is quiet.
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

/** The key of the control record that ends an aborted transaction: version 0, type 0. */
const abortMarker = Buffer.alloc(4)

/**
 * kafkajs takes aborted transactions for sorted by where they began, and for one at most that begins with a message;
 * brokers list them in the order of their ends. Where two cross, it hands out what was aborted. As control records,
 * which it hides, the messages still move the position on.
 */
const hideAborted = (partition: FetchedPartition): void => {
  const begun = partition.abortedTransactions.map(({ producerId, firstOffset }) => ({
    producerId,
    first: BigInt(firstOffset)
  }))
  if (begun.length === 0) return
  begun.sort((a, b) => Number(b.first - a.first))
  const aborting = new Set<string>()
  for (const message of partition.messages) {
    const offset = BigInt(message.offset)
    for (let next = begun.at(-1); next !== undefined && next.first <= offset; next = begun.at(-1)) {
      aborting.add(next.producerId)
      begun.pop()
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

/** The markers of a transaction are written some milliseconds after its end was acknowledged. */
const markersPollMs = 3
const markersPolls = 1000

const isConcurrent = (error: unknown): boolean =>
  error instanceof Error && 'type' in error && error.type === 'CONCURRENT_TRANSACTIONS'

/**
 * Until its markers are written, the next transaction of an id is refused with CONCURRENT_TRANSACTIONS. kafkajs calls
 * that an error and waits for a tenth of a second, or does not wait at all.
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
 * kafkajs asks who coordinates before each step of a transaction, nearly every second request. The cluster of a
 * transactional producer remembers: should it be another, a step fails, and the producer is thrown away.
 */
const rememberCoordinators = (): void => {
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

/** Where each broker that kafkajs knows fails, it answers with null, and its admin then reads a property of that. */
const refuseMissingMetadata = (): void => {
  const { prototype } = requireFromHere('kafkajs/src/cluster/index.js') as { prototype: Cluster }
  const { KafkaJSConnectionError } = requireFromHere('kafkajs/src/errors.js') as typeof import('kafkajs')
  const { metadata: ask } = prototype
  prototype.metadata = async function (of) {
    const metadata = await ask.call(this, of)
    if (metadata === null) throw new KafkaJSConnectionError('no broker tells what topics there are')
    return metadata
  }
}

const readUncommitted = 0

const patchTransactions = (): void => {
  const { prototype } = requireFromHere('kafkajs/src/broker/index.js') as { prototype: Broker }
  const { listOffsets, fetch, addPartitionsToTxn, addOffsetsToTxn } = prototype
  // The end of a partition is the end of all that it holds: what was committed is in front of it, though its marker may
  // still be on its way. kafkajs would have it where the first open transaction began.
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

/** To be called once, before the first client is made. */
export const patchKafkajs = (): void => {
  calmRequestQueue()
  rememberCoordinators()
  refuseMissingMetadata()
  patchTransactions()
}
