// The past of one (host, workload, call): the windows of the current span one by one, and earlier ones in parts as long as
// that span. The spans bound the number of both.
import { Sketch } from '../../../wire/sketch.ts'
import { windowStart } from '../../state/window-start.ts'

/** Lengths in microseconds. */
export interface Spans {
  readonly windowUs: number
  readonly currentUs: number
  readonly baselineUs: number
}

/** Between baseline and current span, so that the baseline excludes a deviation that takes this long to be found. */
export const gapUs = ({ currentUs }: Spans): number => 2 * currentUs

/** From the start of the baseline to the end of the current span. */
export const totalUs = (spans: Spans): number => spans.baselineUs + gapUs(spans) + spans.currentUs

export interface Window {
  readonly startUs: number
  count: number
  latency: Sketch
}

/** Consecutive windows, as many as the current span has. */
export interface Part {
  readonly startUs: number
  readonly latency: Sketch
  /** Number of calls of each window. */
  readonly counts: number[]
}

export class History {
  readonly #spans: Spans
  /** The windows of the current span, earliest first. */
  readonly current: Window[] = []
  /** Earliest first; the last may be incomplete. */
  #parts: Part[] = []

  constructor(spans: Spans) {
    this.#spans = spans
  }

  /** The complete parts that end before the gap. @param startUs of the current span, or of an active drift */
  baselineFor(startUs: number): readonly Part[] {
    const untilUs = startUs - gapUs(this.#spans) - this.#spans.currentUs
    return this.#parts.filter((part) => part.startUs <= untilUs)
  }

  /** True when the history has no calls: it can be removed. */
  get isEmpty(): boolean {
    return this.current.length === 0
  }

  /** Adds the host's next window, in order of time, also one without calls. */
  add(window: Window): void {
    this.current.push(window)
    const nowUs = window.startUs + this.#spans.windowUs
    for (let first = this.current[0]; first !== undefined; first = this.current[0]) {
      if (nowUs - first.startUs <= this.#spans.currentUs) break
      this.current.shift()
      this.#addToParts(first)
    }
    const sinceUs = nowUs - totalUs(this.#spans)
    while ((this.#parts[0]?.startUs ?? nowUs) < sinceUs) this.#parts.shift()
    this.#trimStart()
  }

  /** Replaces a window of the current span by a later revision; an earlier window keeps its revision. */
  correct(startUs: number, count: number, latency: Sketch): void {
    const window = this.current.find((each) => each.startUs === startUs)
    if (window === undefined) return
    window.count = count
    window.latency = latency
  }

  /** Begins the history with its first calls, so that a restart, which reads from a later offset, rebuilds the same. */
  #trimStart(): void {
    while (this.#parts[0]?.latency.count === 0) this.#parts.shift()
    const [first] = this.#parts
    while (first?.counts[0] === 0) first.counts.shift()
    while (first === undefined && this.current[0]?.count === 0) this.current.shift()
  }

  #addToParts({ startUs, count, latency }: Window): void {
    const partStartUs = windowStart(startUs, this.#spans.currentUs)
    let part = this.#parts.at(-1)
    if (part?.startUs !== partStartUs) {
      part = { startUs: partStartUs, latency: new Sketch(), counts: [] }
      this.#parts.push(part)
    }
    part.latency.merge(latency)
    part.counts.push(count)
  }
}
