// Points in the order of their arrival → the newest point of each window, ordered by time. Pure.
import type { Point } from '../../protocol.ts'

export class PointSeries {
  #points: Point[] = []
  #revision = 0

  /** Grows with each change of the points. */
  get revision(): number {
    return this.#revision
  }

  get newest(): Point | undefined {
    return this.#points.at(-1)
  }

  get newestComplete(): Point | undefined {
    return this.#points.findLast(({ complete }) => complete)
  }

  get size(): number {
    return this.#points.length
  }

  clear(): void {
    this.#points = []
    this.#revision++
  }

  /** Replaces all points from `fromMs` on. */
  replaceFrom(fromMs: number, points: readonly Point[]): void {
    this.#points = this.#points.filter(({ timeMs }) => timeMs < fromMs)
    this.add(points)
  }

  /** @param points ordered by time; each replaces the point of its window */
  add(points: readonly Point[]): void {
    this.#revision++
    for (const point of points) {
      let index = this.#points.length
      while (index > 0 && (this.#points[index - 1] as Point).timeMs > point.timeMs) index--
      const isHeld = index > 0 && (this.#points[index - 1] as Point).timeMs === point.timeMs
      this.#points.splice(isHeld ? index - 1 : index, isHeld ? 1 : 0, point)
    }
  }

  /** Removes points before `timeMs`. */
  expireBefore(timeMs: number): void {
    const first = this.#points.findIndex((point) => point.timeMs >= timeMs)
    if (first !== 0) this.#points = first === -1 ? [] : this.#points.slice(first)
  }

  /** One slot per window that starts in [fromMs, toMs); its point is undefined where there is none. */
  slots(fromMs: number, toMs: number, windowMs: number): { times: number[]; points: (Point | undefined)[] } {
    const first = Math.ceil(fromMs / windowMs) * windowMs
    const byTime = new Map(this.#points.map((point) => [point.timeMs, point]))
    const times: number[] = []
    for (let time = first; time < toMs; time += windowMs) times.push(time)
    return { times, points: times.map((time) => byTime.get(time)) }
  }
}
