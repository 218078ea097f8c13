// One drift, from its first deviation to its resolution, and the alert that describes it.
import { z } from 'zod'
import { formatCount, formatNanoseconds } from '../../../runtime/format-number.ts'
import type { Alert, Reason } from '../../../wire/types.ts'
import { alertId } from '../alert-id.ts'
import { type DriftKind, driftKinds, type Finding, factorOf, ratioOf, type Thresholds } from './find-deviation.ts'

/** Between two revisions of an active alert, in event time. */
const updateUs = 60_000_000
/** A drift by at least this factor is a warning, a smaller one a notice. */
const warningFactor = 3

/** The part of a drift that a restart cannot rebuild, as JSON. Times are of the wall clock, microseconds. */
export const driftState = z.object({
  kind: z.enum(driftKinds),
  workload: z.string(),
  call: z.string(),
  comm: z.string(),
  exe: z.string().nullable(),
  /** Start of the current span that raised it. */
  firstUs: z.number(),
  /** End of the last window with the deviation. */
  lastUs: z.number(),
  /** Number of windows with the deviation. */
  count: z.number(),
  revision: z.number(),
  publishedUs: z.number()
})
export type DriftState = z.infer<typeof driftState>

const ratioText = (from: number, to: number): string => {
  const ratio = ratioOf(from, to)
  return `× ${ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(1)}`
}

const probabilityText = (p: number): string => (p < 1e-12 ? '< 1e-12' : p.toPrecision(1))

const minutesText = (us: number): string => `${Math.round(us / 6e6) / 10} min`

const rules: Readonly<Record<DriftKind, { readonly id: string; readonly title: string; readonly subject: string }>> = {
  latency: { id: 'latency_drift', title: 'Call latency changed', subject: 'Latency' },
  rate: { id: 'rate_drift', title: 'Call rate changed', subject: 'Rate' }
}

export class DriftAlert {
  readonly state: DriftState
  readonly #thresholds: Thresholds
  /** The last deviation; undefined after a restart. */
  #deviation: { readonly finding: Finding; readonly tests: number } | undefined

  constructor(state: DriftState, thresholds: Thresholds) {
    this.state = state
    this.#thresholds = thresholds
  }

  /**
   * Adds a window with the deviation.
   * @param tests number of tests in a day
   */
  add(finding: Finding, endUs: number, tests: number): void {
    this.#deviation = { finding, tests }
    this.state.lastUs = endUs
    this.state.count++
  }

  /** True when the deviation was absent for as long as the current span. */
  isResolvedAt(nowUs: number): boolean {
    return nowUs - this.state.lastUs >= this.#thresholds.currentSeconds * 1e6
  }

  isDueAt(nowUs: number): boolean {
    const { revision, publishedUs, lastUs } = this.state
    return revision === 0 || (lastUs > publishedUs && nowUs - publishedUs >= updateUs)
  }

  /** The alert with its next revision. @param isResolved true for the last one */
  publish(host: string, nowUs: number, isResolved: boolean): Alert {
    const { state } = this
    const { id, title } = rules[state.kind]
    const entity = `${state.workload} ${state.call}`
    state.revision++
    state.publishedUs = nowUs
    return {
      id: alertId(id, host, entity, state.firstUs),
      revision: state.revision,
      rule: id,
      rule_version: 1,
      title,
      attack: null,
      severity: this.#severity(),
      host,
      entity,
      workload: state.workload,
      exe: state.exe,
      comm: state.comm,
      pid: 0,
      first_seen: state.firstUs,
      last_seen: state.lastUs,
      count: state.count,
      explanation: this.#explain(host, isResolved),
      reasons: this.#reasons(),
      evidence: [],
      lost_events: 0
    }
  }

  #severity(): Alert['severity'] {
    if (this.#deviation === undefined) return 'notice'
    const { from, to } = this.#deviation.finding
    return factorOf(from, to) >= warningFactor ? 'warning' : 'notice'
  }

  #explain(host: string, isResolved: boolean): string {
    const { kind, workload, call, firstUs, lastUs } = this.state
    const subject = `${rules[kind].subject} of ${call} by ${workload} on ${host}`
    const duration = minutesText(lastUs - firstUs)
    if (isResolved) {
      return `Resolved after ${duration}: ${subject} is as in its baseline again, or the baseline has adapted to it.`
    }
    if (this.#deviation === undefined) return `${subject} has deviated from its baseline for ${duration}.`
    const { finding, tests } = this.#deviation
    const { distance, n, baselineN, probability } = finding
    const p = probability < 1e-12 ? 'p < 1e-12' : `p = ${probabilityText(probability)}`
    const sizes = `D = ${distance.toFixed(2)}, n = ${formatCount(n)} against ${formatCount(baselineN)}, ${p}`
    const baseline = minutesText(this.#thresholds.baselineSeconds * 1e6)
    return `${subject} changed: ${this.#changeText(finding)} for ${duration}, compared with a baseline of ${baseline} (${sizes}; by chance alone: ${probabilityText(probability * tests)} such alerts a day).`
  }

  #valueText(value: number): string {
    if (this.state.kind === 'latency') return formatNanoseconds(value)
    return `${formatCount(value)} calls in ${this.#thresholds.windowSeconds} s`
  }

  #changeText({ quantile, from, to }: Finding): string {
    const name = this.state.kind === 'rate' ? 'median' : `p${quantile * 100}`
    return `${name} from ${this.#valueText(from)} to ${this.#valueText(to)} (${ratioText(from, to)})`
  }

  #reasons(): Reason[] {
    if (this.#deviation === undefined) return []
    const { finding, tests } = this.#deviation
    const { minCalls, minContrast, falseAlertsPerDay, ...limits } = this.#thresholds
    const isRate = this.state.kind === 'rate'
    const minRatio = isRate ? limits.minRateRatio : limits.minRatio
    const minDistance = isRate ? limits.minRateDistance : limits.minDistance
    const shift = isRate ? '' : ` and by ${formatNanoseconds(limits.minShiftUs * 1000)}`
    return [
      {
        condition: 'quantile that changed most',
        value: this.#changeText(finding),
        threshold: `at least × ${minRatio}, up or down${shift}`
      },
      {
        condition: 'distance D (Kolmogorov–Smirnov) from the most similar part of the baseline',
        value: finding.nearestDistance.toFixed(3),
        threshold: `at least ${minDistance}`
      },
      {
        condition: 'distance D from the whole baseline',
        value: finding.distance.toFixed(3),
        threshold: `at least ${Math.min(1, minContrast * finding.variation).toFixed(3)}: ${minContrast} × the largest D of its own parts`
      },
      {
        condition: isRate ? 'windows compared' : 'calls compared',
        value: `${formatCount(finding.n)} against ${formatCount(finding.baselineN)}`,
        threshold: isRate ? `at least ${formatCount(minCalls)} calls` : `at least ${formatCount(minCalls)}`
      },
      {
        condition: `alerts a day by chance alone, in ${formatCount(tests)} tests`,
        value: probabilityText(finding.probability * tests),
        threshold: `at most ${falseAlertsPerDay}`
      }
    ]
  }
}
