// Decides which classes are counted instead of emitted, so that the edge keeps to its share of a core. One sample of
// CPU use per second in; a decision out when one is due. Classes that matter least for security are reduced first.
import type { EventClass } from '../../wire/types.ts'

/** Classes are reduced in this order, and restored in the reverse one. */
export const reductionOrder: readonly EventClass[] = ['io', 'file', 'network', 'process']

/** Time over the budget before a class is reduced: longer than a flush to disk or a burst of connects. */
const overMs = 2_000
/** Time below this part of the budget before a class is restored. */
const underMs = 10_000
const quietPart = 0.6
/** A class that is reduced again within this time after it was restored waits twice as long the next time. */
const relapseMs = 60_000
const maxUnderMs = 300_000

export interface Decision {
  readonly reduced: readonly EventClass[]
  /** For people. */
  readonly reason: string
}

interface ClassState {
  /** Quiet time before the class is restored. */
  waitMs: number
  restoredAt: number
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`

export class Budget {
  readonly #share: number
  readonly #classes: readonly EventClass[]
  readonly #states = new Map<EventClass, ClassState>()
  #reduced = 0
  #overSince: number | undefined
  #underSince: number | undefined
  #isExhausted = false

  /**
   * @param share of one core: 0.03 is 3%
   * @param classes that emit calls, in any order
   */
  constructor(share: number, classes: readonly EventClass[]) {
    this.#share = share
    this.#classes = reductionOrder.filter((name) => classes.includes(name))
  }

  get reduced(): readonly EventClass[] {
    return this.#classes.slice(0, this.#reduced)
  }

  /** True while the budget is exceeded and every class is reduced. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /**
   * @param used share of one core since the last sample
   * @param nowMs monotonic time of the sample
   * @param tookMs time since the last sample
   * @returns the classes to reduce from now on; undefined without a change
   */
  sample(used: number, nowMs: number, tookMs: number): Decision | undefined {
    const startMs = nowMs - tookMs
    if (used > this.#share) {
      this.#underSince = undefined
      this.#overSince ??= startMs
      if (nowMs - this.#overSince < overMs) return undefined
      return this.#reduce(used, nowMs)
    }
    this.#overSince = undefined
    this.#isExhausted = false
    if (used >= quietPart * this.#share || this.#reduced === 0) {
      this.#underSince = undefined
      return undefined
    }
    this.#underSince ??= startMs
    const last = this.#classes[this.#reduced - 1] as EventClass
    if (nowMs - this.#underSince < this.#stateOf(last).waitMs) return undefined
    return this.#restore(last, used, nowMs)
  }

  #stateOf(name: EventClass): ClassState {
    let state = this.#states.get(name)
    if (state === undefined) {
      state = { waitMs: underMs, restoredAt: Number.NEGATIVE_INFINITY }
      this.#states.set(name, state)
    }
    return state
  }

  #reduce(used: number, nowMs: number): Decision | undefined {
    const next = this.#classes[this.#reduced]
    this.#isExhausted = next === undefined
    if (next === undefined) return undefined
    const state = this.#stateOf(next)
    const isRelapse = nowMs - state.restoredAt < relapseMs
    state.waitMs = isRelapse ? Math.min(maxUnderMs, 2 * state.waitMs) : underMs
    this.#reduced++
    // The next samples show the effect.
    this.#overSince = undefined
    const reason = `the edge uses ${percent(used)} of a core, its budget is ${percent(this.#share)}`
    return { reduced: this.reduced, reason }
  }

  #restore(last: EventClass, used: number, nowMs: number): Decision {
    const state = this.#stateOf(last)
    state.restoredAt = nowMs
    this.#reduced--
    this.#underSince = undefined
    const quiet = `less than ${percent(quietPart * this.#share)} for ${Math.round(state.waitMs / 1000)} s`
    return { reduced: this.reduced, reason: `the edge uses ${percent(used)} of a core, ${quiet}` }
  }
}
