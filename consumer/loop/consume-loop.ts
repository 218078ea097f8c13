// The one consume loop: batch → what of it is new → handler → outputs and offset, in one transaction. It hosts a run for
// each partition that the group gave it; what cannot be handled goes to `deadletter`.
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Commit, Consumer, FetchedBatch, KafkaClient, TransactionalProducer } from '../../wire/client.ts'
import { topicName } from '../../wire/topics.ts'
import type { HandlerModule } from '../handler.ts'
import { type Hosted, hostHandler, type InputTopic, inputTopics } from './input.ts'
import { type Lag, type OwnCounters, PartitionRun } from './partition-run.ts'
import { Publisher } from './publisher.ts'

export interface LoopOptions {
  /** Name of the service, for dead letters and logs. */
  readonly service: string
  readonly group: string
  readonly module: HandlerModule
  readonly client: KafkaClient
  readonly topics: Pick<Config, 'topicPrefix' | 'kafka'>
  readonly from: 'earliest' | 'latest'
  readonly log: Log
}

/** The loop's own, and beside them what its handlers count. */
export type LoopCounters = OwnCounters & Record<'lagRecords', number> & Record<string, number>

/** A partition that is ours: its producer from the claim on, its run from the assignment on. */
interface Share {
  producer?: TransactionalProducer
  run?: PartitionRun
  /** Set at the end: whoever claims the partition next waits for it. */
  closed?: Promise<void>
}

/** What is being committed when the stop comes is acknowledged in milliseconds, or not soon. */
const stopPatienceMs = 3000

interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

const addTo = (sums: Record<string, number>, counts: Readonly<Record<string, number>>): void => {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
}

export class ConsumeLoop {
  readonly #options: LoopOptions
  readonly #publisher: Publisher
  readonly #consumer: Promise<Consumer>
  /** By full name. */
  readonly #topics: ReadonlyMap<string, InputTopic>
  readonly #shares = new Map<string, Share>()
  readonly #active = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #counters: OwnCounters = {
    batches: 0,
    events: 0,
    replayed: 0,
    duplicates: 0,
    rollups: 0,
    hosts: 0,
    alerts: 0,
    alertUpdates: 0,
    audit: 0,
    other: 0,
    deadletters: 0
  }
  /** What the handlers of partitions that were taken away had counted. */
  readonly #revokedCounters: Record<string, number> = {}
  #stopped: Promise<void> | undefined

  private constructor(options: LoopOptions) {
    this.#options = options
    this.#publisher = new Publisher(options)
    this.#topics = new Map(inputTopics(options.module).map((name) => [topicName(options.topics, name), name]))
    this.#consumer = options.client.consumer({
      group: options.group,
      topics: [...this.#topics.keys()],
      from: options.from,
      onClaimed: (claimed) => this.#claim(claimed),
      onAssigned: async ({ committed, start, ...assigned }) => this.#assign(assigned, committed, start),
      onRevoked: (revoked) => this.#revoke(keyOf(revoked)),
      onBatch: (batch) => this.#track(this.#onBatch(batch))
    })
  }

  /** Does not wait for Kafka: the loop begins when it answers. */
  static async start(options: LoopOptions): Promise<ConsumeLoop> {
    const loop = new ConsumeLoop(options)
    await loop.#consumer
    return loop
  }

  /** Rejects when a handler cannot be made or another defect stands in the way; resolves at stop(). */
  get done(): Promise<void> {
    return this.#consumer.then((consumer) => consumer.done)
  }

  counters(): LoopCounters {
    const counted = { ...this.#revokedCounters }
    let lagRecords = 0
    for (const run of this.#runs()) {
      addTo(counted, run.counters())
      lagRecords += run.lag.records
    }
    return { ...counted, ...this.#counters, lagRecords }
  }

  lags(): Lag[] {
    return Array.from(this.#runs(), ({ lag }) => lag)
  }

  /** Handles everything that is in the topic now, then stops. */
  async drain(): Promise<void> {
    const consumer = await this.#consumer
    await Promise.race([consumer.caughtUp(), consumer.done])
    await this.stop()
  }

  /** Ends after the message that is being handled; commits what was handled. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    const patience = setTimeout(() => {
      for (const share of this.#shares.values()) void this.#close(share)
    }, stopPatienceMs)
    const consumer = await this.#consumer
    await Promise.allSettled(this.#active)
    await Promise.allSettled(Array.from(this.#runs(), (run) => run.commit()))
    await consumer.close()
    await Promise.allSettled(Array.from(this.#shares.values(), (share) => this.#close(share)))
    clearTimeout(patience)
  }

  *#runs(): Iterable<PartitionRun> {
    for (const { run, closed } of this.#shares.values()) if (run !== undefined && closed === undefined) yield run
  }

  /** Fences whoever had the partition, before anybody asks what it has committed. */
  async #claim({ topic, partition }: TopicPartition): Promise<void> {
    const { client, group } = this.#options
    const key = keyOf({ topic, partition })
    const share: Share = {}
    const before = this.#shares.get(key)
    this.#shares.set(key, share)
    await before?.closed
    const id = `${group}/${topic}/${partition}`
    const producer = await client.transactional({ id, group, topic, partition })
    share.producer = producer
    if (share.closed !== undefined || this.#shares.get(key) !== share) await producer.close()
  }

  #assign({ topic, partition }: TopicPartition, committed: Commit | undefined, start: bigint): void {
    const { module, service, topics, from, log } = this.#options
    const share = this.#shares.get(keyOf({ topic, partition }))
    const producer = share?.producer
    if (share === undefined || producer === undefined) return
    const host = (): Hosted => hostHandler(module, this.#topics.get(topic) ?? 'events', partition, log)
    let hosted = host()
    if (committed !== undefined && committed.metadata !== '') {
      try {
        hosted.handler.restore(committed.metadata)
      } catch (error) {
        log.error({ topic, partition, metadata: committed.metadata }, `state is not restored: ${messageOf(error)}`)
        hosted = host()
      }
    }
    const run = new PartitionRun({
      ...hosted,
      service,
      topicPrefix: topics.topicPrefix,
      topic,
      partition,
      committed,
      start,
      producer,
      publisher: this.#publisher,
      counters: this.#counters,
      stopping: this.#stopping.signal,
      log
    })
    share.run = run
    // So that a restart goes on from here, rather than from the end of then.
    if (from === 'latest' && committed === undefined) run.commitLate()
  }

  #revoke(key: string): void {
    const share = this.#shares.get(key)
    if (share !== undefined) void this.#close(share)
  }

  #close(share: Share): Promise<void> {
    if (share.closed !== undefined) return share.closed
    const { run, producer } = share
    if (run !== undefined) addTo(this.#revokedCounters, run.counters())
    share.closed = Promise.resolve((run ?? producer)?.close()).catch((error) =>
      this.#options.log.debug(`not closed in order: ${messageOf(error)}`)
    )
    return share.closed
  }

  #track(work: Promise<void>): Promise<void> {
    this.#active.add(work)
    const forget = () => this.#active.delete(work)
    work.then(forget, forget)
    return work
  }

  async #onBatch(batch: FetchedBatch): Promise<void> {
    const share = this.#shares.get(keyOf(batch))
    if (share?.closed === undefined) await share?.run?.take(batch)
  }
}
