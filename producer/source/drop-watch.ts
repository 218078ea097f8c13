// Logs when the edge begins to drop events, with the cause, and when it stops.
import type { Log } from '../../runtime/log.ts'

/** Dropping has stopped after this long without a drop. */
const calmMs = 10_000

/** A larger backlog means that Kafka is slow or away: a healthy one never reaches it. */
const slowBacklogBytes = 8 << 20

type Counters = Readonly<Record<string, number>>

const causeOf = (counters: Counters): string => {
  const isAny = (...names: string[]): boolean => names.every((name) => (counters[name] ?? 0) > 0)
  if (isAny('spoolBytes', 'dropped_spool_full')) {
    return 'Kafka was away until the spool was full (edge.spool.maxBytes)'
  }
  if ((counters['backlogBytes'] ?? 0) >= slowBacklogBytes) {
    return 'the ring is full, because Kafka is slower than the events and there is no spool (edge.spool, edge.ringBytes)'
  }
  return 'the ring is full: raise edge.ringBytes, edge.securityRingBytes or edge.processRingBytes, or count calls instead of emitting them (edge.calls)'
}

export class DropWatch {
  readonly #log: Log
  /** Drops before dropping began; undefined while nothing is dropped. */
  #droppedBefore: number | undefined
  #lastDropAt = 0
  #dropped = 0

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * Call it with each pass of the read loop.
   * @param counters the edge's counters
   * @param nowMs of a monotonic clock
   */
  update(counters: Counters, nowMs: number): void {
    const dropped = counters['dropped'] ?? 0
    if (dropped > this.#dropped) {
      if (this.#droppedBefore === undefined) {
        this.#droppedBefore = this.#dropped
        this.#log.warn({ dropped }, `dropping events: ${causeOf(counters)}`)
      }
      this.#dropped = dropped
      this.#lastDropAt = nowMs
    } else if (this.#droppedBefore !== undefined && nowMs - this.#lastDropAt >= calmMs) {
      this.#log.warn({ dropped: dropped - this.#droppedBefore }, 'stopped dropping events')
      this.#droppedBefore = undefined
    }
  }
}
