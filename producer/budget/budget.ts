// Decides how far the edge reduces what it emits, so that it keeps to its share of a core. One sample of CPU use per second
// in; a decision out when one is due. First the bound of each process falls, which the processes that cause the cost reach
// first; then classes are counted, those that matter least for security first. Events of processes are never reduced.
import type { EventClass } from '../../wire/types.ts'

/** Classes are reduced in this order, and restored in the reverse one. */
export const reductionOrder: readonly EventClass[] = ['io', 'file', 'network']

/** The bound halves down to this many events per second: a process that starts and opens its files needs some hundred. */
export const leastProcessEvents = 256
/** The first bound if none is configured, twice as high. */
const highestProcessEvents = 65_536

/** Time over the budget before a step: longer than a flush to disk or a burst of connects. */
const overMs = 2_000
/** Time below this part of the budget before a step is taken back. */
const underMs = 10_000
const quietPart = 0.6
/** A step that is taken again within this time after it was taken back waits twice as long the next time. */
const relapseMs = 60_000
const maxUnderMs = 300_000

/** What is emitted: the bound of a process in events per second, 0 for none, and the classes that are counted. */
export interface Reduction {
  readonly processEvents: number
  readonly classes: readonly EventClass[]
}

export interface Decision {
  readonly reduction: Reduction
  /** For people. */
  readonly reason: string
}

interface BudgetStep {
  readonly after: Reduction
  /** Quiet time before it is taken back. */
  waitMs: number
  restoredAt: number
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`

const stepsFrom = (configured: Reduction, emitting: readonly EventClass[]): BudgetStep[] => {
  const reductions: Reduction[] = []
  let { processEvents, classes } = configured
  const highest = processEvents === 0 ? 2 * highestProcessEvents : processEvents
  for (let bound = highest; bound > leastProcessEvents; ) {
    bound = Math.max(leastProcessEvents, Math.floor(bound / 2))
    processEvents = bound
    reductions.push({ processEvents, classes })
  }
  for (const name of reductionOrder.filter((each) => emitting.includes(each))) {
    classes = [...classes, name]
    reductions.push({ processEvents, classes })
  }
  return reductions.map((after) => ({ after, waitMs: underMs, restoredAt: Number.NEGATIVE_INFINITY }))
}

export class Budget {
  readonly #share: number
  readonly #configured: Reduction
  readonly #steps: readonly BudgetStep[]
  /** Steps that are taken. */
  #taken = 0
  #overSince: number | undefined
  #underSince: number | undefined
  #isExhausted = false

  /**
   * @param share of one core: 0.03 is 3%
   * @param processEvents the configured bound of a process; 0: none
   * @param classes that emit calls, in any order
   */
  constructor(share: number, processEvents: number, classes: readonly EventClass[]) {
    this.#share = share
    this.#configured = { processEvents, classes: [] }
    this.#steps = stepsFrom(this.#configured, classes)
  }

  get reduction(): Reduction {
    return this.#steps[this.#taken - 1]?.after ?? this.#configured
  }

  /** True while the budget is exceeded and every step is taken. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /**
   * @param used share of one core since the last sample
   * @param nowMs monotonic time of the sample
   * @param tookMs time since the last sample
   * @param parts of `used`, for people
   * @returns the reduction from now on; undefined without a change
   */
  sample(used: number, nowMs: number, tookMs: number, parts = ''): Decision | undefined {
    const startMs = nowMs - tookMs
    if (used > this.#share) {
      this.#underSince = undefined
      this.#overSince ??= startMs
      if (nowMs - this.#overSince < overMs) return undefined
      return this.#reduce(`${percent(used)} of a core${parts}`, nowMs)
    }
    this.#overSince = undefined
    this.#isExhausted = false
    if (used >= quietPart * this.#share || this.#taken === 0) {
      this.#underSince = undefined
      return undefined
    }
    this.#underSince ??= startMs
    const last = this.#steps[this.#taken - 1] as BudgetStep
    if (nowMs - this.#underSince < last.waitMs) return undefined
    return this.#restore(last, `${percent(used)} of a core${parts}`, nowMs)
  }

  #reduce(used: string, nowMs: number): Decision | undefined {
    const next = this.#steps[this.#taken]
    this.#isExhausted = next === undefined
    if (next === undefined) return undefined
    const isRelapse = nowMs - next.restoredAt < relapseMs
    next.waitMs = isRelapse ? Math.min(maxUnderMs, 2 * next.waitMs) : underMs
    this.#taken++
    // The next samples show the effect.
    this.#overSince = undefined
    return { reduction: this.reduction, reason: `the edge uses ${used}, its budget is ${percent(this.#share)}` }
  }

  #restore(last: BudgetStep, used: string, nowMs: number): Decision {
    last.restoredAt = nowMs
    this.#taken--
    this.#underSince = undefined
    const quiet = `less than ${percent(quietPart * this.#share)} for ${Math.round(last.waitMs / 1000)} s`
    return { reduction: this.reduction, reason: `the edge uses ${used}, ${quiet}` }
  }
}

/** The parts of a CPU use, as sample() takes them. */
export const partsOf = (process: number, programs: number | undefined): string =>
  programs === undefined ? '' : ` (process ${percent(process)}, programs ${percent(programs)})`
