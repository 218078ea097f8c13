// Points as they arrive, in any revision → one point a window, in order of time, as far back as the charts go. Pure.
import type { Point } from '../../protocol.ts'

export class PointSeries {
  #points: Point[] = []
  #revision = 0

  /** Changes whenever the points do. */
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

  /** Those from `fromMs` on are all there is of that time: what was held of it before is gone. */
  replaceFrom(fromMs: number, points: readonly Point[]): void {
    this.#points = this.#points.filter(({ timeMs }) => timeMs < fromMs)
    this.add(points)
  }

  /** @param points in order of time; each replaces the one of its window */
  add(points: readonly Point[]): void {
    this.#revision++
    for (const point of points) {
      let place = this.#points.length
      while (place > 0 && (this.#points[place - 1] as Point).timeMs > point.timeMs) place--
      const isThere = place > 0 && (this.#points[place - 1] as Point).timeMs === point.timeMs
      this.#points.splice(isThere ? place - 1 : place, isThere ? 1 : 0, point)
    }
  }

  /** Lets go of what began before `timeMs`. */
  expireBefore(timeMs: number): void {
    const first = this.#points.findIndex((point) => point.timeMs >= timeMs)
    if (first !== 0) this.#points = first === -1 ? [] : this.#points.slice(first)
  }

  /** One place for each window that began in [fromMs, toMs), undefined where there is no point. */
  slots(fromMs: number, toMs: number, windowMs: number): { times: number[]; points: (Point | undefined)[] } {
    const first = Math.ceil(fromMs / windowMs) * windowMs
    const byTime = new Map(this.#points.map((point) => [point.timeMs, point]))
    const times: number[] = []
    for (let time = first; time < toMs; time += windowMs) times.push(time)
    return { times, points: times.map((time) => byTime.get(time)) }
  }
}
