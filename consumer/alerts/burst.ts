// A burst of matches: the alert that it raises at the threshold, its revisions while it grows, and its end by cooldown.
import { z } from 'zod'
import { formatCount } from '../../runtime/format-number.ts'
import { bounded } from '../../wire/bounded.ts'
import type { Alert, EventBatch, Process, Reason } from '../../wire/types.ts'
import { alertId } from './alert-id.ts'
import type { Match } from './match-window.ts'
import type { Rule } from './rule.ts'
import type { Field, Subject } from './subject.ts'

/** Between two revisions of an active alert, in event time. */
const updateUs = 10_000_000
const maxEvidence = 20

/** The part of a burst that a restart cannot rebuild, as JSON. */
export const burstState = z.object({
  rule: z.string(),
  entity: z.string(),
  boot: z.string(),
  workload: z.string(),
  exe: z.string().nullable(),
  comm: z.string(),
  pid: z.number(),
  /** Fields of the event that raised the alert, as far as reasons and explanation name them. */
  values: z.record(z.string(), z.string()),
  /** Pairs of cpu and seq - seqBase of the first events, in one list. */
  evidence: z.array(z.number()),
  seqBase: z.number(),
  /** Wall clock, microseconds. */
  firstUs: z.number(),
  lastUs: z.number(),
  /** CLOCK_MONOTONIC, microseconds. */
  lastMonotonicUs: z.number(),
  count: z.number(),
  lost: z.number(),
  revision: z.number(),
  publishedCount: z.number(),
  publishedMonotonicUs: z.number()
})
export type BurstState = z.infer<typeof burstState>

/** With at most one decimal. */
const secondsText = (us: number): string => String(Math.round(us / 1e5) / 10)

export class Burst {
  readonly rule: Rule
  readonly state: BurstState
  /** False while a restart replays events that the restored state has counted. */
  counts = true

  constructor(rule: Rule, state: BurstState) {
    this.rule = rule
    this.state = state
  }

  /** @param matches that reached the threshold, earliest first; at least one */
  static raise(
    rule: Rule,
    entity: string,
    batch: EventBatch,
    process: Process,
    subject: Subject,
    matches: readonly Match[],
    lost: number
  ): Burst {
    const { monotonic_us, wall_us } = batch.clock
    // Counted calls have no event to show.
    const first = matches.filter(({ cpu }) => cpu >= 0).slice(0, maxEvidence)
    const seqBase = Math.min(...first.map(({ seq }) => seq))
    const firstMonotonicUs = matches[0]?.firstUs ?? monotonic_us
    const lastMonotonicUs = matches.reduce((last, { lastUs }) => Math.max(last, lastUs), firstMonotonicUs)
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
      count: matches.reduce((sum, { amount }) => sum + amount, 0),
      lost,
      revision: 0,
      publishedCount: 0,
      publishedMonotonicUs: 0
    })
  }

  /**
   * Adds events that met the condition.
   * @param amount as of MatchWindow.add()
   */
  add(batch: EventBatch, monotonicUs: number, amount = 1): void {
    if (!this.counts) return
    this.state.count += amount
    if (monotonicUs <= this.state.lastMonotonicUs) return
    this.state.lastMonotonicUs = monotonicUs
    this.state.lastUs = batch.clock.wall_us - batch.clock.monotonic_us + monotonicUs
  }

  hasEndedAt(monotonicUs: number): boolean {
    return monotonicUs - this.state.lastMonotonicUs >= this.rule.cooldownSeconds * 1_000_000
  }

  /** True when a revision is to be published: the first, or one for growth since the last, 10 s later at the earliest. */
  isDueAt(monotonicUs: number): boolean {
    return this.hasGrown && (this.state.revision === 0 || monotonicUs - this.state.publishedMonotonicUs >= updateUs)
  }

  get hasGrown(): boolean {
    return this.state.count > this.state.publishedCount
  }

  /** The alert with its next revision. */
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
      lost_events: bounded(state.lost)
    }
  }

  /** The frequency first: it distinguishes an alert from a single event that meets the condition. */
  #reasons(): Reason[] {
    const { count, windowSeconds, distinct, sum } = this.rule.threshold
    const events = sum === undefined ? this.rule.events.join(', ') : `${sum} of ${this.rule.events.join(', ')}`
    const counted = distinct === undefined ? events : `distinct ${distinct}`
    const frequency: Reason = {
      condition: `${counted} within ${windowSeconds} s, by ${this.rule.entity.join(' and ')}`,
      value: `${formatCount(this.state.count)} ${sum ?? 'events'} in ${secondsText(this.state.lastUs - this.state.firstUs)} s`,
      threshold: `at least ${formatCount(count)}`
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
        return formatCount(state.count)
      case 'seconds':
        return secondsText(state.lastUs - state.firstUs)
      case 'threshold':
        return formatCount(rule.threshold.count)
      case 'window':
        return String(rule.threshold.windowSeconds)
      case 'host':
        return host
      default:
        return state.values[name as Field] || 'unknown'
    }
  }
}
