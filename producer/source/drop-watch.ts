// Says in the log when the edge begins to drop events, why, and when that has ended.
import type { Log } from '../../runtime/log.ts'

/** So long without a drop, and dropping has ended. */
const calmMs = 10_000

/** Batches that wait in memory: more than a Kafka that is well ever has before it. */
const crowdedBytes = 8 << 20

type Counters = Readonly<Record<string, number>>

const causeOf = (counters: Counters): string => {
  const isAny = (...names: string[]): boolean => names.every((name) => (counters[name] ?? 0) > 0)
  if (isAny('spoolBytes', 'dropped_spool_full')) {
    return 'Kafka was away for longer than the spool has room (edge.spool.maxBytes)'
  }
  if ((counters['backlogBytes'] ?? 0) >= crowdedBytes) {
    return 'the ring is full: Kafka does not take them fast enough, and no disk does (edge.spool, edge.ringBytes)'
  }
  return 'the ring is full (edge.ringBytes, edge.securityRingBytes), or calls emit that need not (edge.calls)'
}

export class DropWatch {
  readonly #log: Log
  /** What had been dropped before. */
  #droppingSince: number | undefined
  #lastDropAt = 0
  #dropped = 0

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * To be called every now and then with the edge's counters.
   * @param nowMs of a clock that never steps back
   */
  update(counters: Counters, nowMs: number): void {
    const dropped = counters['dropped'] ?? 0
    if (dropped > this.#dropped) {
      if (this.#droppingSince === undefined) {
        this.#droppingSince = this.#dropped
        this.#log.warn({ dropped }, `events are being dropped: ${causeOf(counters)}`)
      }
      this.#dropped = dropped
      this.#lastDropAt = nowMs
    } else if (this.#droppingSince !== undefined && nowMs - this.#lastDropAt >= calmMs) {
      this.#log.warn(
        { dropped: dropped - this.#droppingSince },
        `events are no longer dropped; ${dropped - this.#droppingSince} were`
      )
      this.#droppingSince = undefined
    }
  }
}
