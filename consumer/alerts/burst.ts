// One alert from the moment it is raised to the quiet that ends it, and what is said about it.
import type { Alert, EventBatch, Process, Reason } from '../../wire/types.ts'
import { alertId } from './alert-id.ts'
import type { Rule } from './rule.ts'
import type { Sighting } from './sightings.ts'
import type { Field, Subject } from './subject.ts'

/** Between two updates of an alert, in event time. */
const updateUs = 10_000_000
const maxEvidence = 20

/** All that an alert needs to go on after a restart, as JSON. */
export interface BurstState {
  readonly rule: string
  readonly entity: string
  readonly boot: string
  readonly workload: string
  readonly exe: string | null
  readonly comm: string
  readonly pid: number
  /** Of the event that raised it: the fields that the reasons and the explanation name. */
  readonly values: Readonly<Partial<Record<Field, string>>>
  /** cpu and seq of the first events, less `seqBase`, one after the other. */
  readonly evidence: readonly number[]
  readonly seqBase: number
  /** Wall clock, microseconds. */
  readonly firstUs: number
  lastUs: number
  /** CLOCK_MONOTONIC, microseconds. */
  lastMonotonicUs: number
  count: number
  lost: number
  revision: number
  publishedCount: number
  publishedMonotonicUs: number
}

const number = new Intl.NumberFormat('en')
/** Of JavaScript's precision, one decimal at most. */
const secondsText = (us: number): string => String(Math.round(us / 1e5) / 10)

export class Burst {
  readonly rule: Rule
  readonly state: BurstState
  /** False for one that goes on after a restart, until the events that it counted already came again. */
  counts = true

  constructor(rule: Rule, state: BurstState) {
    this.rule = rule
    this.state = state
  }

  /** @param sightings what reached the threshold, the earliest first; at least one */
  static raise(
    rule: Rule,
    entity: string,
    batch: EventBatch,
    process: Process,
    subject: Subject,
    sightings: readonly Sighting[],
    lost: number
  ): Burst {
    const { monotonic_us, wall_us } = batch.clock
    const first = sightings.slice(0, maxEvidence)
    const seqBase = Math.min(...first.map(({ seq }) => seq))
    const firstMonotonicUs = sightings[0]?.firstUs ?? monotonic_us
    const lastMonotonicUs = sightings.reduce((last, { lastUs }) => Math.max(last, lastUs), firstMonotonicUs)
    const named = [...rule.terms.flatMap(({ fields }) => fields), ...rule.explanationFields]
    return new Burst(rule, {
      rule: rule.id,
      entity,
      boot: batch.boot,
      workload: subject.workload,
      exe: process.exe,
      comm: process.comm,
      pid: process.pid,
      values: Object.fromEntries(named.map((field) => [field, String(subject[field])])),
      evidence: first.flatMap(({ cpu, seq }) => [cpu, seq - seqBase]),
      seqBase,
      firstUs: wall_us - monotonic_us + firstMonotonicUs,
      lastUs: wall_us - monotonic_us + lastMonotonicUs,
      lastMonotonicUs,
      count: sightings.reduce((sum, { events }) => sum + events, 0),
      lost,
      revision: 0,
      publishedCount: 0,
      publishedMonotonicUs: 0
    })
  }

  /** One more event that the rule's condition held for. */
  add(batch: EventBatch, monotonicUs: number): void {
    if (!this.counts) return
    this.state.count++
    if (monotonicUs <= this.state.lastMonotonicUs) return
    this.state.lastMonotonicUs = monotonicUs
    this.state.lastUs = batch.clock.wall_us - batch.clock.monotonic_us + monotonicUs
  }

  isOverAt(monotonicUs: number): boolean {
    return monotonicUs - this.state.lastMonotonicUs >= this.rule.cooldownSeconds * 1_000_000
  }

  /** Whether there is something to publish: it was just raised, or grew and the last time is long enough ago. */
  isDueAt(monotonicUs: number): boolean {
    return this.hasGrown && (this.state.revision === 0 || monotonicUs - this.state.publishedMonotonicUs >= updateUs)
  }

  get hasGrown(): boolean {
    return this.state.count > this.state.publishedCount
  }

  /** The alert as it is now, with its next revision. */
  publish(host: string, monotonicUs: number): Alert {
    const { state, rule } = this
    state.revision++
    state.publishedCount = state.count
    state.publishedMonotonicUs = monotonicUs
    return {
      id: alertId(rule.id, host, state.entity, state.firstUs),
      revision: state.revision,
      rule: rule.id,
      rule_version: rule.version,
      title: rule.title,
      attack: rule.attack ?? null,
      severity: rule.severity,
      host,
      entity: state.entity,
      workload: state.workload,
      exe: state.exe,
      comm: state.comm,
      pid: state.pid,
      first_seen: state.firstUs,
      last_seen: state.lastUs,
      count: state.count,
      explanation: rule.explain((name) => this.#valueOf(name, host)),
      reasons: this.#reasons(),
      evidence: this.#evidence(host),
      lost_events: state.lost
    }
  }

  /** The frequency first: it is what made an alert of what each event alone is not. */
  #reasons(): Reason[] {
    const { count, windowSeconds, distinct } = this.rule.threshold
    const what = distinct === undefined ? this.rule.events.join(', ') : `distinct ${distinct}`
    const frequency: Reason = {
      condition: `${what} within ${windowSeconds} s, by ${this.rule.entity.join(' and ')}`,
      value: `${number.format(this.state.count)} events in ${secondsText(this.state.lastUs - this.state.firstUs)} s`,
      threshold: `at least ${number.format(count)}`
    }
    const terms = this.rule.terms.map(({ text, fields }): Reason => {
      const value = fields.map((field) => `${field} = ${this.state.values[field] || "''"}`).join(', ')
      return { condition: text, value, threshold: 'true' }
    })
    return [frequency, ...terms]
  }

  #evidence(host: string): Alert['evidence'] {
    const { evidence, seqBase, boot } = this.state
    return Array.from({ length: evidence.length / 2 }, (_, i) => ({
      host,
      boot,
      cpu: evidence[2 * i] as number,
      seq: seqBase + (evidence[2 * i + 1] as number)
    }))
  }

  #valueOf(name: string, host: string): string {
    const { state, rule } = this
    switch (name) {
      case 'count':
        return number.format(state.count)
      case 'seconds':
        return secondsText(state.lastUs - state.firstUs)
      case 'threshold':
        return number.format(rule.threshold.count)
      case 'window':
        return String(rule.threshold.windowSeconds)
      case 'host':
        return host
      default:
        return state.values[name as Field] || 'unknown'
    }
  }
}
