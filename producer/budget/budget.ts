// Which classes are counted instead of told one by one, so that the edge keeps to its share of a core. Samples of the
// share used come in once a second; a decision comes out when one is due. What matters least for security goes first.
import type { EventClass } from '../../wire/types.ts'

/** In this order classes are reduced; they come back the other way round. */
export const reductionOrder: readonly EventClass[] = ['io', 'file', 'network', 'process']

/** So long over the budget, and a class is reduced: one flush to the disk or one burst of connects is no reason. */
const overMs = 2_000
/** So long below this part of the budget, and a class comes back. */
const underMs = 10_000
const quietPart = 0.6
/** A class that is reduced again so soon after it came back waits twice as long the next time. */
const relapseMs = 60_000
const maxUnderMs = 300_000

export interface Decision {
  readonly reduced: readonly EventClass[]
  /** For a person. */
  readonly reason: string
}

interface Held {
  /** How long it has to be quiet before it comes back. */
  waitMs: number
  cameBackAt: number
}

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`

export class Budget {
  readonly #share: number
  readonly #classes: readonly EventClass[]
  readonly #held = new Map<EventClass, Held>()
  #reduced = 0
  #overSince: number | undefined
  #underSince: number | undefined
  #isExhausted = false

  /**
   * @param share of one core: 0.03 is 3%
   * @param classes that have calls to reduce, in any order
   */
  constructor(share: number, classes: readonly EventClass[]) {
    this.#share = share
    this.#classes = reductionOrder.filter((name) => classes.includes(name))
  }

  get reduced(): readonly EventClass[] {
    return this.#classes.slice(0, this.#reduced)
  }

  /** Over the budget for as long as would reduce a class, and none is left. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /**
   * @param used share of one core since the sample before
   * @param nowMs of a clock that never goes back, at the end of that time
   * @param tookMs the length of that time
   * @returns what is to be reduced from now on; undefined when it stays as it is
   */
  sample(used: number, nowMs: number, tookMs: number): Decision | undefined {
    const beganMs = nowMs - tookMs
    if (used > this.#share) {
      this.#underSince = undefined
      this.#overSince ??= beganMs
      if (nowMs - this.#overSince < overMs) return undefined
      return this.#reduce(used, nowMs)
    }
    this.#overSince = undefined
    this.#isExhausted = false
    if (used >= quietPart * this.#share || this.#reduced === 0) {
      this.#underSince = undefined
      return undefined
    }
    this.#underSince ??= beganMs
    const last = this.#classes[this.#reduced - 1] as EventClass
    if (nowMs - this.#underSince < this.#heldOf(last).waitMs) return undefined
    return this.#restore(last, used, nowMs)
  }

  #heldOf(name: EventClass): Held {
    let held = this.#held.get(name)
    if (held === undefined) {
      held = { waitMs: underMs, cameBackAt: Number.NEGATIVE_INFINITY }
      this.#held.set(name, held)
    }
    return held
  }

  #reduce(used: number, nowMs: number): Decision | undefined {
    const next = this.#classes[this.#reduced]
    this.#isExhausted = next === undefined
    if (next === undefined) return undefined
    const held = this.#heldOf(next)
    const isRelapse = nowMs - held.cameBackAt < relapseMs
    held.waitMs = isRelapse ? Math.min(maxUnderMs, 2 * held.waitMs) : underMs
    this.#reduced++
    // What this saves shows in the next samples.
    this.#overSince = undefined
    const reason = `the edge used ${percent(used)} of a core, and may use ${percent(this.#share)}`
    return { reduced: this.reduced, reason }
  }

  #restore(last: EventClass, used: number, nowMs: number): Decision {
    const held = this.#heldOf(last)
    held.cameBackAt = nowMs
    this.#reduced--
    this.#underSince = undefined
    const quiet = `less than ${percent(quietPart * this.#share)} for ${Math.round(held.waitMs / 1000)} s`
    return { reduced: this.reduced, reason: `the edge used ${percent(used)} of a core, ${quiet}` }
  }
}
