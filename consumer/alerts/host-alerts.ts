// The rules applied to one host: its batches in, alerts out.
import { z } from 'zod'
import type { Alert, Event, EventBatch, Process, Summary } from '../../wire/types.ts'
import { Anchors } from '../state/anchors.ts'
import { AnnouncedPorts } from './announced-ports.ts'
import { Burst, type BurstState, burstState } from './burst.ts'
import { CountedConnects } from './counted-connects.ts'
import { Entities, type Entity } from './entities.ts'
import { LimitedCalls } from './limited-calls.ts'
import { Losses } from './losses.ts'
import type { Rule } from './rule.ts'
import { classOf, nameOf } from './rule-events.ts'
import type { Subject } from './subject.ts'

const anchorSlotUs = 1_000_000
/** Of a match that is a summary, not an event. */
const noCpu = -1

/** One rule on one host. */
interface HostRule {
  readonly rule: Rule
  readonly classes: ReadonlySet<string>
  readonly entities: Entities
  /** For a rule of outcomes: what they must not count again. */
  readonly connects: CountedConnects | undefined
  readonly limited: LimitedCalls
}

/** The part of a host's state that a restart cannot rebuild. */
const savedHost = z.object({ ports: z.array(z.int()), bursts: z.array(burstState) })
export const savedHosts = z.record(z.string(), savedHost)
export type SavedHost = z.infer<typeof savedHost>

export class HostAlerts {
  readonly #host: string
  readonly #rules: readonly HostRule[]
  readonly #rulesByEvent: ReadonlyMap<string, readonly HostRule[]>
  readonly #ports: AnnouncedPorts
  readonly #losses: Losses
  readonly #longestWindowUs: number
  #anchors = new Anchors(anchorSlotUs)
  /** Entities with an active alert. */
  readonly #active = new Set<Entity>()
  /** Bursts that ended since the last batch; their growth is to be published. */
  #ended: Burst[] = []
  #boot = ''
  #nowUs = 0

  /**
   * @param saved from save() before a restart
   * @param isReplaying true while batches are replayed that `saved` has counted, until endReplay()
   */
  constructor(
    host: string,
    rules: readonly Rule[],
    maxEntities: number,
    saved: SavedHost | undefined,
    isReplaying: boolean
  ) {
    this.#host = host
    this.#rules = rules.map((rule) => ({
      rule,
      classes: new Set(rule.events.map(classOf)),
      entities: new Entities(rule, maxEntities),
      connects: rule.events.includes('connect_outcome')
        ? new CountedConnects(rule.threshold.windowSeconds * 1_000_000)
        : undefined,
      limited: new LimitedCalls(rule.threshold.windowSeconds * 1_000_000)
    }))
    const names = new Set(rules.flatMap(({ events }) => events))
    this.#rulesByEvent = new Map(
      [...names].map((name) => [name, this.#rules.filter(({ rule }) => rule.events.includes(name))])
    )
    this.#longestWindowUs = Math.max(0, ...rules.map(({ threshold }) => threshold.windowSeconds * 1_000_000))
    this.#losses = new Losses(this.#longestWindowUs)
    this.#ports = new AnnouncedPorts(saved?.ports ?? [])
    this.#boot = saved?.bursts[0]?.boot ?? ''
    for (const state of saved?.bursts ?? []) this.#resume(state, isReplaying)
  }

  get resumeOffset(): bigint | undefined {
    return this.#anchors.resumeOffset
  }

  /** The active alerts and announced ports: reading batches from the resume offset rebuilds everything else. */
  save(): SavedHost {
    const bursts = [...this.#active].flatMap(({ burst }) => (burst === undefined ? [] : [burst.state]))
    return { ports: this.#ports.numbers, bursts }
  }

  /** Call it after the last batch that the saved state has counted. */
  endReplay(): void {
    for (const { burst } of this.#active) if (burst !== undefined) burst.counts = true
  }

  /** The alerts that a batch raises or updates. */
  handle(batch: EventBatch, offset: bigint, subject: Subject): Alert[] {
    const alerts = this.#begin(batch, offset)
    subject.begin(batch, (process, socket) => this.#ports.isAnnounced(process, socket))
    for (const event of batch.events) this.#apply(batch, event, subject)
    for (const summary of batch.summaries) if (summary.limited > 0) this.#applyLimited(batch, summary)
    for (const entity of this.#active) {
      const burst = entity.burst as Burst
      if (burst.hasEndedAt(this.#nowUs)) this.#endBurst(entity, burst)
      else if (burst.isDueAt(this.#nowUs) || (batch.final && burst.hasGrown)) alerts.push(this.#publish(burst))
    }
    return [...alerts, ...this.#publishEnded()]
  }

  /** Number of entities evicted since the last call. */
  takeEvicted(): number {
    return this.#rules.reduce((sum, { entities }) => sum + entities.takeEvicted(), 0)
  }

  /** Ends all active alerts and returns their last revisions. */
  end(): Alert[] {
    for (const entity of this.#active) this.#endBurst(entity, entity.burst as Burst)
    return this.#publishEnded()
  }

  #begin(batch: EventBatch, offset: bigint): Alert[] {
    const { boot, clock, drops } = batch
    const rebooted = this.#boot !== '' && this.#boot !== boot
    const alerts = rebooted ? this.#endBoot() : []
    this.#boot = boot
    this.#nowUs = clock.monotonic_us
    this.#ports.begin(batch)
    this.#anchors.add(this.#nowUs, offset)
    this.#anchors.expireBefore(this.#nowUs - this.#longestWindowUs)
    this.#losses.add(drops, this.#nowUs)
    for (const drop of drops) {
      for (const { burst } of this.#active) {
        if (burst?.counts && burst.rule.events.some((event) => classOf(event) === drop.class)) {
          burst.state.lost += drop.count
        }
      }
    }
    return alerts
  }

  /** The monotonic clock of a new boot begins anew: nothing of the old boot can be compared with it. */
  #endBoot(): Alert[] {
    const alerts = this.end()
    for (const { entities, connects, limited } of this.#rules) {
      entities.clear()
      connects?.clear()
      limited.clear()
    }
    this.#anchors = new Anchors(anchorSlotUs)
    this.#losses.clear()
    return alerts
  }

  #apply(batch: EventBatch, event: Event, subject: Subject): void {
    const process = batch.processes[event.process] as Process
    this.#ports.see(event, process, batch.sockets[event.socket])
    const rules = this.#rulesByEvent.get(nameOf(event))
    if (rules === undefined) return
    subject.set(event, process)
    for (const hostRule of rules) {
      const { rule, connects } = hostRule
      if (event.kind === 'connect_outcome' && connects?.has(event)) continue
      if (!rule.isAllowed(subject) && rule.holds(subject)) this.#count(hostRule, batch, event, process, subject)
    }
  }

  /** Calls beyond the bound of a process count with the entity of its events; the next event raises the alert. */
  #applyLimited(batch: EventBatch, summary: Summary): void {
    const process = batch.processes[summary.process] as Process
    const timeUs = batch.clock.monotonic_us + Math.floor(summary.time_offset_ns / 1000)
    for (const hostRule of this.#rulesByEvent.get(summary.syscall) ?? []) {
      const { rule, limited } = hostRule
      const entity = rule.threshold.distinct === undefined && limited.entityOf(process, summary.syscall, timeUs)
      if (!entity) continue
      for (let i = 0; i < Math.min(summary.limited, rule.threshold.count); i++) {
        entity.matches.add(timeUs, noCpu, summary.seq, undefined)
      }
      if (entity.burst?.hasEndedAt(timeUs)) this.#endBurst(entity, entity.burst)
      entity.burst?.add(batch, timeUs, summary.limited)
    }
  }

  #count(hostRule: HostRule, batch: EventBatch, event: Event, process: Process, subject: Subject): void {
    const { rule, classes, entities, connects, limited } = hostRule
    const name = [...new Set(rule.entity.map((field) => String(subject[field])))].join(' ').trim()
    const entity = entities.of(name, this.#nowUs)
    const timeUs = batch.clock.monotonic_us + Math.floor(event.time_offset_ns / 1000)
    if (event.syscall === 'connect') connects?.add(event, timeUs)
    limited.see(process, event.syscall, entity, timeUs)
    const { distinct, sum } = rule.threshold
    const amount = sum === undefined ? 1 : Number(subject[sum])
    const value = distinct === undefined ? undefined : String(subject[distinct])
    entity.matches.add(timeUs, event.cpu, event.seq, value, amount)
    if (entity.burst?.hasEndedAt(timeUs)) this.#endBurst(entity, entity.burst)
    entity.burst?.add(batch, timeUs, amount)
    if (entity.burst !== undefined || !entity.matches.hasReachedThreshold) return
    const matches = entity.matches.all()
    const lost = this.#losses.since(matches[0]?.firstUs ?? timeUs, classes)
    entity.burst = Burst.raise(rule, name, batch, process, subject, matches, lost)
    this.#active.add(entity)
  }

  #endBurst(entity: Entity, burst: Burst): void {
    entity.burst = undefined
    this.#active.delete(entity)
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

  #resume(state: BurstState, isReplaying: boolean): void {
    const hostRule = this.#rules.find(({ rule }) => rule.id === state.rule)
    if (hostRule === undefined) return
    const entity = hostRule.entities.of(state.entity, this.#nowUs)
    entity.burst = new Burst(hostRule.rule, state)
    entity.burst.counts = !isReplaying
    this.#active.add(entity)
  }
}
