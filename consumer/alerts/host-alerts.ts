// What the rules found on one host: entities that are counted, and the alerts that are on.
import { z } from 'zod'
import type { Alert, Event, EventBatch, Process } from '../../wire/types.ts'
import { Anchors } from '../state/anchors.ts'
import { Burst, type BurstState } from './burst.ts'
import { Observation } from './observation.ts'
import { classOf, type Rule } from './rule.ts'
import { Sightings } from './sightings.ts'
import type { Subject } from './subject.ts'

const anchorSlotUs = 1_000_000
/** What Observation.see() learns from. */
const teaches = new Set(['listen', 'accept', 'accept4', 'fork', 'exec', 'exit'])

interface Entity {
  readonly sightings: Sightings
  burst: Burst | undefined
}

/** One rule on one host. */
interface Counted {
  readonly rule: Rule
  readonly classes: ReadonlySet<string>
  /** The entity that was heard from longest ago is first; all of them may have alerts that are on. */
  readonly entities: Map<string, Entity>
}

interface Loss {
  readonly monotonicUs: number
  readonly class: string
  readonly count: number
}

/** What goes on after a restart. */
const savedHost = z.object({
  ports: z.array(z.int()),
  bursts: z.array(
    z.object({
      rule: z.string(),
      entity: z.string(),
      boot: z.string(),
      workload: z.string(),
      exe: z.string().nullable(),
      comm: z.string(),
      pid: z.number(),
      values: z.record(z.string(), z.string()),
      evidence: z.array(z.number()),
      seqBase: z.number(),
      firstUs: z.number(),
      lastUs: z.number(),
      lastMonotonicUs: z.number(),
      count: z.number(),
      lost: z.number(),
      revision: z.number(),
      publishedCount: z.number(),
      publishedMonotonicUs: z.number()
    })
  )
})
export const savedHosts = z.record(z.string(), savedHost)
export type SavedHost = z.infer<typeof savedHost>

export class HostAlerts {
  readonly #host: string
  readonly #maxEntities: number
  readonly #counted: readonly Counted[]
  readonly #byEvent: ReadonlyMap<string, readonly Counted[]>
  readonly #observation: Observation
  #anchors = new Anchors(anchorSlotUs)
  readonly #bursting = new Set<Entity>()
  readonly #longestWindowUs: number
  /** Since the last batch; what they grew by is still to be published. */
  #ended: Burst[] = []
  #losses: Loss[] = []
  #boot = ''
  #nowUs = 0
  #evicted = 0

  /**
   * @param saved from save() before a restart
   * @param replaying the batches that `saved` had counted come again, until endReplay()
   */
  constructor(
    host: string,
    rules: readonly Rule[],
    maxEntities: number,
    saved: SavedHost | undefined,
    replaying: boolean
  ) {
    this.#host = host
    this.#maxEntities = maxEntities
    this.#counted = rules.map((rule) => ({
      rule,
      classes: new Set(rule.events.map(classOf)),
      entities: new Map()
    }))
    const names = new Set(rules.flatMap(({ events }) => events))
    this.#byEvent = new Map(
      [...names].map((name) => [name, this.#counted.filter(({ rule }) => rule.events.includes(name))])
    )
    this.#longestWindowUs = Math.max(0, ...rules.map(({ threshold }) => threshold.windowSeconds * 1_000_000))
    this.#observation = new Observation(saved?.ports ?? [])
    this.#boot = saved?.bursts[0]?.boot ?? ''
    for (const state of saved?.bursts ?? []) this.#resume(state as BurstState, replaying)
  }

  get resumeOffset(): bigint | undefined {
    return this.#anchors.resumeOffset
  }

  /** What does not come back by reading the batches from the resume offset on again. */
  save(): SavedHost {
    const bursts = [...this.#bursting].flatMap(({ burst }) => (burst === undefined ? [] : [burst.state]))
    return { ports: this.#observation.ports, bursts: bursts as SavedHost['bursts'] }
  }

  /** After the last batch that the saved state had counted. */
  endReplay(): void {
    for (const { burst } of this.#bursting) if (burst !== undefined) burst.counts = true
  }

  /** The alerts that a batch raises, or updates. */
  handle(batch: EventBatch, offset: bigint, subject: Subject): Alert[] {
    const alerts = this.#begin(batch, offset)
    subject.begin(batch, (process, socket) => this.#observation.isAnnounced(process, socket))
    for (const event of batch.events) this.#judge(batch, event, subject)
    for (const entity of this.#bursting) {
      const burst = entity.burst as Burst
      if (burst.isOverAt(this.#nowUs)) this.#endBurst(entity, burst)
      else if (burst.isDueAt(this.#nowUs) || (batch.final && burst.hasGrown)) alerts.push(this.#publish(burst))
    }
    return [...alerts, ...this.#publishEnded()]
  }

  /** Entities that were forgotten for others since the last call. */
  takeEvicted(): number {
    const evicted = this.#evicted
    this.#evicted = 0
    return evicted
  }

  /** The last word on every alert that is on. */
  end(): Alert[] {
    for (const entity of this.#bursting) this.#endBurst(entity, entity.burst as Burst)
    return this.#publishEnded()
  }

  #begin(batch: EventBatch, offset: bigint): Alert[] {
    const { boot, clock, drops } = batch
    const rebooted = this.#boot !== '' && this.#boot !== boot
    const alerts = rebooted ? this.#beginAnew() : []
    this.#boot = boot
    this.#nowUs = clock.monotonic_us
    this.#observation.begin(batch)
    this.#anchors.add(this.#nowUs, offset)
    this.#anchors.expireBefore(this.#nowUs - this.#longestWindowUs)
    this.#losses = this.#losses.filter((loss) => this.#nowUs - loss.monotonicUs <= this.#longestWindowUs)
    for (const drop of drops) {
      this.#losses.push({ monotonicUs: this.#nowUs, class: drop.class, count: drop.count })
      for (const { burst } of this.#bursting) {
        if (burst?.counts && burst.rule.events.some((event) => classOf(event) === drop.class)) {
          burst.state.lost += drop.count
        }
      }
    }
    return alerts
  }

  /** The clock began again, so nothing of before can be compared with what comes. */
  #beginAnew(): Alert[] {
    const alerts = this.end()
    for (const { entities } of this.#counted) entities.clear()
    this.#anchors = new Anchors(anchorSlotUs)
    this.#losses = []
    return alerts
  }

  #judge(batch: EventBatch, event: Event, subject: Subject): void {
    const isCall = event.kind === 'syscall' || event.kind === 'io_uring'
    const name = isCall ? event.syscall : event.kind
    const process = batch.processes[event.process] as Process
    if (teaches.has(name)) this.#observation.see(event, process, batch.sockets[event.socket])
    const counted = this.#byEvent.get(name)
    if (counted === undefined) return
    subject.set(event, process)
    for (const one of counted) {
      if (!one.rule.isAllowed(subject) && one.rule.holds(subject)) this.#count(one, batch, event, process, subject)
    }
  }

  #count(counted: Counted, batch: EventBatch, event: Event, process: Process, subject: Subject): void {
    const { rule } = counted
    const name = [...new Set(rule.entity.map((field) => String(subject[field])))].join(' ').trim()
    const entity = this.#entityOf(counted, name)
    const timeUs = batch.clock.monotonic_us + Math.floor(event.time_offset_ns / 1000)
    const { distinct } = rule.threshold
    entity.sightings.add(timeUs, event.cpu, event.seq, distinct === undefined ? undefined : String(subject[distinct]))
    if (entity.burst?.isOverAt(timeUs)) this.#endBurst(entity, entity.burst)
    entity.burst?.add(batch, timeUs)
    if (entity.burst !== undefined || !entity.sightings.isReached) return
    const sightings = entity.sightings.all()
    const lost = this.#lostSince(sightings[0]?.firstUs ?? timeUs, counted.classes)
    entity.burst = Burst.raise(rule, name, batch, process, subject, sightings, lost)
    this.#bursting.add(entity)
  }

  #entityOf({ rule, entities }: Counted, name: string): Entity {
    const known = entities.get(name)
    const entity = known ?? { sightings: sightingsOf(rule), burst: undefined }
    if (known === undefined && entities.size >= this.#maxEntities) this.#evict(entities)
    entities.delete(name)
    entities.set(name, entity)
    return entity
  }

  /** Those whose window is empty, else the one heard from longest ago without an alert that is on. */
  #evict(entities: Map<string, Entity>): void {
    for (const [name, { burst, sightings }] of entities) {
      if (burst !== undefined || !sightings.isEmptyAt(this.#nowUs)) break
      entities.delete(name)
    }
    if (entities.size < this.#maxEntities) return
    for (const [name, { burst }] of entities) {
      if (burst !== undefined) continue
      entities.delete(name)
      break
    }
    this.#evicted++
  }

  #endBurst(entity: Entity, burst: Burst): void {
    entity.burst = undefined
    this.#bursting.delete(entity)
    this.#ended.push(burst)
  }

  #publishEnded(): Alert[] {
    const ended = this.#ended
    this.#ended = []
    return ended.filter((burst) => burst.hasGrown).map((burst) => this.#publish(burst))
  }

  #publish(burst: Burst): Alert {
    return burst.publish(this.#host, this.#nowUs)
  }

  #lostSince(monotonicUs: number, classes: ReadonlySet<string>): number {
    const relevant = this.#losses.filter((loss) => loss.monotonicUs >= monotonicUs && classes.has(loss.class))
    return relevant.reduce((sum, { count }) => sum + count, 0)
  }

  #resume(state: BurstState, replaying: boolean): void {
    const counted = this.#counted.find(({ rule }) => rule.id === state.rule)
    if (counted === undefined) return
    const entity = this.#entityOf(counted, state.entity)
    entity.burst = new Burst(counted.rule, state)
    entity.burst.counts = !replaying
    this.#bursting.add(entity)
  }
}

const sightingsOf = ({ threshold }: Rule): Sightings => new Sightings(threshold.count, threshold.windowSeconds * 1e6)
