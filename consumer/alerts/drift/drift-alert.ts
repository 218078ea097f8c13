// One drift from the window that raised it to its end, and what is said about it.
import { z } from 'zod'
import { formatCount, formatNanoseconds } from '../../../runtime/format-number.ts'
import type { Alert, Reason } from '../../../wire/types.ts'
import { alertId } from '../alert-id.ts'
import type { DriftKind, Finding, Thresholds } from './find-drift.ts'

/** Between two updates of an alert, in event time. */
const updateUs = 60_000_000
/** From this factor on it is a warning. */
const warningFactor = 3

/** All that a drift needs to go on after a restart, as JSON. Times are of the wall clock, microseconds. */
export const driftState = z.object({
  kind: z.enum(['latency', 'rate']),
  workload: z.string(),
  call: z.string(),
  comm: z.string(),
  exe: z.string().nullable(),
  /** Of the first window of what counted as now. */
  firstUs: z.number(),
  /** End of the last window in which it held. */
  lastUs: z.number(),
  /** Windows in which it held. */
  count: z.number(),
  revision: z.number(),
  publishedUs: z.number()
})
export type DriftState = z.infer<typeof driftState>

const factorText = (from: number, to: number): string => {
  const factor = Math.max(1, to) / Math.max(1, from)
  return `× ${factor >= 0.1 ? factor.toFixed(2) : factor.toPrecision(1)}`
}

const probabilityText = (p: number): string => (p < 1e-12 ? '< 1e-12' : p.toPrecision(1))

const minutesText = (us: number): string => `${Math.round(us / 6e6) / 10} min`

const rules: Readonly<Record<DriftKind, { readonly id: string; readonly title: string }>> = {
  latency: { id: 'latency_drift', title: 'Calls take another time than before' },
  rate: { id: 'rate_drift', title: 'Calls come at another rate than before' }
}

export class DriftAlert {
  readonly state: DriftState
  readonly #thresholds: Thresholds
  /** The last that held; undefined after a restart. */
  #found: { readonly finding: Finding; readonly tests: number } | undefined

  constructor(state: DriftState, thresholds: Thresholds) {
    this.state = state
    this.#thresholds = thresholds
  }

  /**
   * It holds in one more window.
   * @param tests how many are made a day
   */
  hold(finding: Finding, endUs: number, tests: number): void {
    this.#found = { finding, tests }
    this.state.lastUs = endUs
    this.state.count++
  }

  /** After so long a time as counts as now in which it did not hold. */
  isOverAt(nowUs: number): boolean {
    return nowUs - this.state.lastUs >= this.#thresholds.currentSeconds * 1e6
  }

  isDueAt(nowUs: number): boolean {
    const { revision, publishedUs, lastUs } = this.state
    return revision === 0 || (lastUs > publishedUs && nowUs - publishedUs >= updateUs)
  }

  /**
   * The alert as it is now, with its next revision.
   * @param ended it is the last
   */
  publish(host: string, nowUs: number, ended: boolean): Alert {
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
      explanation: this.#explain(host, ended),
      reasons: this.#reasons(),
      evidence: [],
      lost_events: 0
    }
  }

  #severity(): Alert['severity'] {
    if (this.#found === undefined) return 'notice'
    const { from, to } = this.#found.finding
    const factor = Math.max(1, to) / Math.max(1, from)
    return Math.max(factor, 1 / factor) >= warningFactor ? 'warning' : 'notice'
  }

  #explain(host: string, ended: boolean): string {
    const { kind, workload, call, firstUs, lastUs } = this.state
    const what = `${call} of ${workload} on ${host}`
    const lasted = minutesText(lastUs - firstUs)
    if (ended) return `${what}: after ${lasted} its ${kind} is as it was before, or what is usual by now.`
    if (this.#found === undefined) return `${what}: its ${kind} has been another for ${lasted}.`
    const { finding, tests } = this.#found
    const { distance, n, referenceN, probability } = finding
    const moved = this.#movedText(finding)
    const by = `D = ${distance.toFixed(2)}, n = ${formatCount(n)} against ${formatCount(referenceN)}, p ${probability < 1e-12 ? '' : '= '}${probabilityText(probability)}`
    return `${what}: ${moved}, for ${lasted}, unlike anything in the ${minutesText(this.#thresholds.referenceSeconds * 1e6)} before (${by}; chance alone: ${probabilityText(probability * tests)} such alerts a day).`
  }

  #valueText(value: number): string {
    if (this.state.kind === 'latency') return formatNanoseconds(value)
    return `${formatCount(value)} calls in ${this.#thresholds.windowSeconds} s`
  }

  #movedText({ quantile, from, to }: Finding): string {
    const at = this.state.kind === 'rate' ? 'median' : `p${quantile * 100}`
    return `${at} from ${this.#valueText(from)} to ${this.#valueText(to)} (${factorText(from, to)})`
  }

  #reasons(): Reason[] {
    if (this.#found === undefined) return []
    const { finding, tests } = this.#found
    const { minCalls, minContrast, falseAlertsPerDay, ...limits } = this.#thresholds
    const isRate = this.state.kind === 'rate'
    const ratio = isRate ? limits.minRateRatio : limits.minRatio
    const atLeast = isRate ? limits.minRateDistance : limits.minDistance
    const shift = isRate ? '' : ` and by ${formatNanoseconds(limits.minShiftUs * 1000)}`
    return [
      {
        condition: 'what moved',
        value: this.#movedText(finding),
        threshold: `at least × ${ratio}, up or down${shift}`
      },
      {
        condition: 'distance D (Kolmogorov–Smirnov) from the part of the reference most like it',
        value: finding.nearest.toFixed(3),
        threshold: `at least ${atLeast}`
      },
      {
        condition: 'distance D from the whole reference',
        value: finding.distance.toFixed(3),
        threshold: `at least ${Math.min(1, minContrast * finding.unrest).toFixed(3)}: ${minContrast} times that of its own parts`
      },
      {
        condition: isRate ? 'windows compared' : 'calls compared',
        value: `${formatCount(finding.n)} against ${formatCount(finding.referenceN)}`,
        threshold: isRate ? `at least ${formatCount(minCalls)} calls` : `at least ${formatCount(minCalls)}`
      },
      {
        condition: `expected by chance alone a day, of ${formatCount(tests)} tests`,
        value: probabilityText(finding.probability * tests),
        threshold: `at most ${falseAlertsPerDay}`
      }
    ]
  }
}
