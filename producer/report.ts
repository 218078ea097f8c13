// What the edge says in its log: a summary at intervals, and when dropping begins and ends.
import type { Log } from '../runtime/log.ts'

const summaryMs = 10_000
/** So long without a drop, and dropping has ended. */
const calmMs = 10_000

type Counters = Readonly<Record<string, number>>

const change = (now: Counters, before: Counters, name: string): number => (now[name] ?? 0) - (before[name] ?? 0)

const causeOf = (counters: Counters): string => {
  const isAny = (...names: string[]): boolean => names.every((name) => (counters[name] ?? 0) > 0)
  if (isAny('spoolBytes', 'dropped_spool_full')) {
    return 'Kafka was away for longer than the spool has room (edge.spool.maxBytes)'
  }
  if (isAny('backlogBytes', 'dropped_backlog_full')) return 'Kafka does not take them fast enough (edge.backlogBytes)'
  return 'the ring is full (edge.ringBytes, edge.securityRingBytes), or calls emit that need not (edge.calls)'
}

export class Report {
  readonly #log: Log
  #summarizedAt: number
  #summarized: Counters = {}
  #droppingSince: Counters | undefined
  #lastDropAt = 0
  #dropped = 0

  /** @param nowMs of a clock that never steps back, as in every call */
  constructor(log: Log, nowMs: number) {
    this.#log = log
    this.#summarizedAt = nowMs
  }

  /** To be called every now and then with the edge's counters. */
  update(counters: Counters, nowMs: number): void {
    this.#watchDrops(counters, nowMs)
    const elapsedMs = nowMs - this.#summarizedAt
    if (elapsedMs >= summaryMs) this.summarize(counters, nowMs)
  }

  summarize(counters: Counters, nowMs: number): void {
    const seconds = Math.max(0.001, (nowMs - this.#summarizedAt) / 1000)
    const seen = change(counters, this.#summarized, 'seen')
    const published = change(counters, this.#summarized, 'published')
    const dropped = change(counters, this.#summarized, 'dropped')
    this.#log.info(
      { seen, published, dropped, backlogBytes: counters['backlogBytes'], seconds: Math.round(seconds * 10) / 10 },
      `${Math.round(seen / seconds)} events/s seen, ${Math.round(published / seconds)} published, ${dropped} dropped`
    )
    this.#summarizedAt = nowMs
    this.#summarized = counters
  }

  #watchDrops(counters: Counters, nowMs: number): void {
    const dropped = counters['dropped'] ?? 0
    if (dropped > this.#dropped) {
      if (this.#droppingSince === undefined) {
        this.#droppingSince = { ...counters, dropped: this.#dropped }
        this.#log.warn({ dropped }, `events are being dropped: ${causeOf(counters)}`)
      }
      this.#dropped = dropped
      this.#lastDropAt = nowMs
    } else if (this.#droppingSince !== undefined && nowMs - this.#lastDropAt >= calmMs) {
      this.#log.warn(
        { dropped: change(counters, this.#droppingSince, 'dropped') },
        `events are no longer dropped; ${change(counters, this.#droppingSince, 'dropped')} were`
      )
      this.#droppingSince = undefined
    }
  }
}
