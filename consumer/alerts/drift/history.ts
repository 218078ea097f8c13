// What is known of one (host, workload, call): the windows of now one by one, and those before them in slots as long as
// now. Bounded: so many windows, so many slots, a sketch each.
import { Sketch } from '../../../wire/sketch.ts'

export interface Spans {
  /** Microseconds: of a window, of now, of the reference. */
  readonly windowUs: number
  readonly currentUs: number
  readonly referenceUs: number
}

/** How long after its beginning a shift still has a reference without it: so long it may take to be found. */
export const guardUs = ({ currentUs }: Spans): number => 2 * currentUs

/** What has to be remembered, microseconds: the reference, now, and what lies between them. */
export const spanOf = (spans: Spans): number => spans.referenceUs + guardUs(spans) + spans.currentUs

export interface Window {
  readonly startUs: number
  count: number
  latency: Sketch
}

/** As many windows as make now, at some time before. */
export interface Slot {
  readonly startUs: number
  readonly latency: Sketch
  /** Calls of each window. */
  readonly counts: number[]
}

export class History {
  readonly #spans: Spans
  readonly current: Window[] = []
  /** The earliest first; the last of them is being filled. */
  #slots: Slot[] = []

  constructor(spans: Spans) {
    this.#spans = spans
  }

  /** Slots that are whole and older than a moment by the guard: a reference for what began then. */
  referenceFor(beganUs: number): readonly Slot[] {
    const untilUs = beganUs - guardUs(this.#spans) - this.#spans.currentUs
    return this.#slots.filter(({ startUs }) => startUs <= untilUs)
  }

  /** Whether nothing is left of it. */
  get isIdle(): boolean {
    return this.current.length === 0
  }

  /** The next window of the host, also one without calls; in order of time. */
  add(window: Window): void {
    this.current.push(window)
    const nowUs = window.startUs + this.#spans.windowUs
    for (let first = this.current[0]; first !== undefined; first = this.current[0]) {
      if (nowUs - first.startUs <= this.#spans.currentUs) break
      this.current.shift()
      this.#keep(first)
    }
    const sinceUs = nowUs - spanOf(this.#spans)
    while ((this.#slots[0]?.startUs ?? nowUs) < sinceUs) this.#slots.shift()
    this.#beginWithCalls()
  }

  /** A later revision of a window: taken while the window is one of now. */
  correct(startUs: number, count: number, latency: Sketch): void {
    const window = this.current.find((each) => each.startUs === startUs)
    if (window === undefined) return
    window.count = count
    window.latency = latency
  }

  /** Before the first calls that are remembered it was not there: so it is the same for who has read only these. */
  #beginWithCalls(): void {
    while (this.#slots[0]?.latency.count === 0) this.#slots.shift()
    const [first] = this.#slots
    while (first?.counts[0] === 0) first.counts.shift()
    while (first === undefined && this.current[0]?.count === 0) this.current.shift()
  }

  #keep({ startUs, count, latency }: Window): void {
    const slotStartUs = Math.floor(startUs / this.#spans.currentUs) * this.#spans.currentUs
    let slot = this.#slots.at(-1)
    if (slot?.startUs !== slotStartUs) {
      slot = { startUs: slotStartUs, latency: new Sketch(), counts: [] }
      this.#slots.push(slot)
    }
    slot.latency.merge(latency)
    slot.counts.push(count)
  }
}
