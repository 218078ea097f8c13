// The one consume loop: fetched batches in; outputs and offset out, in one Kafka transaction. It hosts a PartitionRun for
// each partition that the group assigns to this instance.
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type {
  Commit,
  Consumer,
  FetchedBatch,
  FetchedUnreadable,
  KafkaClient,
  Membership,
  TransactionalProducer
} from '../../wire/client.ts'
import { topicName } from '../../wire/topics.ts'
import type { HandlerModule } from '../handler.ts'
import { parseMetadata } from '../state/commit-metadata.ts'
import { type Hosted, hostHandler, type InputTopic, inputTopics } from './input.ts'
import { type Lag, LagWatch } from './lag-watch.ts'
import { type LoopCounts, PartitionRun } from './partition-run.ts'
import { Publisher } from './publisher.ts'

export interface LoopOptions {
  /** Name of the service, for dead letters and logs. */
  readonly service: string
  readonly group: string
  readonly module: HandlerModule
  readonly client: KafkaClient
  readonly config: Pick<Config, 'topicPrefix' | 'kafka' | 'consumers'>
  readonly from: 'earliest' | 'latest'
  readonly log: Log
}

/** Counts of the loop, and of its handlers by their own names. A name of the loop hides a handler's. */
export type LoopCounters = LoopCounts & Record<'lagRecords' | 'crashes' | 'rejoins', number> & Record<string, number>

/** One partition from its assignment to its revocation. */
interface Assignment {
  /** Set once the previous owner is fenced. */
  producer?: TransactionalProducer
  /** Set once the first offset is known. */
  run?: PartitionRun
  /** Set at the end; the next assignment of the partition waits for it. */
  closed?: Promise<void>
}

/** A commit in progress at stop() takes milliseconds when Kafka answers at all. */
const stopTimeoutMs = 3000

const notJoined: Membership = { isMember: false, crashes: 0, rejoins: 0, lastError: undefined }

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
  readonly #lagWatch: LagWatch
  #membership: () => Membership = () => notJoined
  /** By full name. */
  readonly #topics: ReadonlyMap<string, InputTopic>
  readonly #assignments = new Map<string, Assignment>()
  /** Batches in progress. */
  readonly #active = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #counts: LoopCounts = {
    batches: 0,
    events: 0,
    replayed: 0,
    duplicates: 0,
    rejected: 0,
    rollups: 0,
    hosts: 0,
    alerts: 0,
    alertUpdates: 0,
    audit: 0,
    other: 0,
    deadletters: 0
  }
  /** Sums of the handlers whose partitions were revoked. */
  readonly #revokedCounters: Record<string, number> = {}
  #stopped: Promise<void> | undefined

  private constructor(options: LoopOptions) {
    this.#options = options
    this.#publisher = new Publisher({ ...options, topics: options.config })
    this.#topics = new Map(inputTopics(options.module).map((name) => [topicName(options.config, name), name]))
    this.#consumer = options.client.consumer({
      group: options.group,
      topics: [...this.#topics.keys()],
      from: options.from,
      onAssigned: (assigned) => this.#assign(assigned),
      onStart: async ({ committed, start, ...assigned }) => this.#start(assigned, committed, start),
      onBatch: (batch) => this.#track(this.#handle(batch)),
      onUnreadable: (batch) => this.#track(this.#handleUnreadable(batch)),
      onRevoked: (revoked) => this.#revoke(revoked)
    })
    this.#lagWatch = new LagWatch({
      consumer: { positions: async () => (await this.#consumer).positions() },
      progressOf: (topic, partition) => this.#runOf({ topic, partition })?.progress,
      log: options.log
    })
  }

  /** Does not wait for Kafka: the loop reads as soon as a broker answers. */
  static async start(options: LoopOptions): Promise<ConsumeLoop> {
    const loop = new ConsumeLoop(options)
    const consumer = await loop.#consumer
    loop.#membership = () => consumer.membership
    void loop.#lagWatch.run()
    return loop
  }

  /** Resolves at stop(); rejects when a handler cannot be created, and on any other defect. */
  get done(): Promise<void> {
    return this.#consumer.then((consumer) => consumer.done)
  }

  counters(): LoopCounters {
    const handlers = { ...this.#revokedCounters }
    for (const run of this.#runs()) addTo(handlers, run.counters())
    const { crashes, rejoins } = this.#membership()
    const lagRecords = this.lags().reduce((sum, { records }) => sum + records, 0)
    return { ...handlers, ...this.#counts, lagRecords, crashes, rejoins }
  }

  get membership(): Membership {
    return this.#membership()
  }

  /** As of the broker's last answer, at most some seconds ago. */
  lags(): Lag[] {
    return this.#lagWatch.lags()
  }

  /** Why the broker does not say how far the loop is behind; undefined when it does. */
  get lagFailure(): LagWatch['failure'] {
    return this.#lagWatch.failure
  }

  /** Handles every message that is in the topics now, then stops. */
  async drain(): Promise<void> {
    const consumer = await this.#consumer
    await Promise.race([consumer.caughtUp(), consumer.done])
    await this.stop()
  }

  /** Finishes the messages in progress, commits them, and leaves the group. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** Fences the previous owner of the partition, before its committed offset is read. */
  async #assign({ topic, partition }: TopicPartition): Promise<void> {
    const { client, group } = this.#options
    const key = keyOf({ topic, partition })
    const assignment: Assignment = {}
    const earlier = this.#assignments.get(key)
    this.#assignments.set(key, assignment)
    await earlier?.closed
    const id = `${group}/${topic}/${partition}`
    const producer = await client.transactional({ id, group, topic, partition })
    assignment.producer = producer
    if (assignment.closed !== undefined || this.#assignments.get(key) !== assignment) await producer.close()
  }

  /** Creates the handler of the partition and restores its state. */
  #start({ topic, partition }: TopicPartition, committed: Commit | undefined, start: bigint): void {
    const { module, service, config, from, log } = this.#options
    const assignment = this.#assignments.get(keyOf({ topic, partition }))
    const producer = assignment?.producer
    if (assignment === undefined || producer === undefined) return
    const host = (): Hosted => hostHandler(module, this.#topics.get(topic) ?? 'events', partition, log)
    let hosted = host()
    const restored = committed === undefined ? undefined : parseMetadata(committed.metadata)
    if (restored !== undefined && restored.handler !== '') {
      try {
        hosted.handler.restore(restored.handler)
      } catch (error) {
        log.error(
          { topic, partition, metadata: restored.handler },
          `cannot restore state, starting without it: ${messageOf(error)}`
        )
        hosted = host()
      }
    }
    const run = new PartitionRun({
      ...hosted,
      service,
      topicPrefix: config.topicPrefix,
      handlerTimeoutMs: config.consumers.handlerTimeoutMs,
      topic,
      partition,
      committed,
      start,
      handledBefore: restored?.next ?? start,
      producer,
      publisher: this.#publisher,
      counts: this.#counts,
      stopping: this.#stopping.signal,
      log
    })
    assignment.run = run
    // A restart resumes here, instead of at the end of the topic at that time.
    if (from === 'latest' && committed === undefined) run.commitInBackground()
  }

  async #handle(batch: FetchedBatch): Promise<void> {
    await this.#runOf(batch)?.handle(batch)
  }

  async #handleUnreadable(batch: FetchedUnreadable): Promise<void> {
    await this.#runOf(batch)?.handleUnreadable(batch)
  }

  /** Undefined before the start and after the revocation of the partition. */
  #runOf(of: TopicPartition): PartitionRun | undefined {
    const assignment = this.#assignments.get(keyOf(of))
    return assignment?.closed === undefined ? assignment?.run : undefined
  }

  #track(work: Promise<void>): Promise<void> {
    this.#active.add(work)
    const remove = () => this.#active.delete(work)
    work.then(remove, remove)
    return work
  }

  #revoke(revoked: TopicPartition): void {
    const assignment = this.#assignments.get(keyOf(revoked))
    if (assignment !== undefined) void this.#close(assignment)
  }

  #close(assignment: Assignment): Promise<void> {
    if (assignment.closed !== undefined) return assignment.closed
    const { run, producer } = assignment
    this.#lagWatch.update()
    if (run !== undefined) addTo(this.#revokedCounters, run.counters())
    assignment.closed = Promise.resolve((run ?? producer)?.close()).catch((error) =>
      this.#options.log.debug(`cannot close the producer of a partition: ${messageOf(error)}`)
    )
    return assignment.closed
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    this.#lagWatch.stop()
    const timeout = setTimeout(() => {
      for (const assignment of this.#assignments.values()) void this.#close(assignment)
    }, stopTimeoutMs)
    const consumer = await this.#consumer
    await Promise.allSettled(this.#active)
    await Promise.allSettled(Array.from(this.#runs(), (run) => run.commit()))
    await consumer.close()
    await Promise.allSettled(Array.from(this.#assignments.values(), (assignment) => this.#close(assignment)))
    clearTimeout(timeout)
  }

  *#runs(): Iterable<PartitionRun> {
    for (const { run, closed } of this.#assignments.values()) if (run !== undefined && closed === undefined) yield run
  }
}
