// The audit service: batches of events go in, a record of each security-relevant event comes out, in the
// order of the batch. Nothing is kept but the numbers of the last batches, to leave out repeats.
import { auditRecordOf } from '../../wire/row.ts'
import type { EventBatch } from '../../wire/types.ts'
import { checkBatch } from '../check-batch.ts'
import type { Checkpoint, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { Repeats } from '../repeats.ts'
import { isAudited } from './selection.ts'

export class Audit implements StatefulHandler {
  readonly #repeats = new Repeats()
  readonly #counters = { repeats: 0 }
  #cameAgain = false

  /** Since the start: batches that were repeats. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  /** @throws RingsideError DATA when an event points at a process that the batch does not hold */
  handle(batch: EventBatch): Output[] {
    this.#cameAgain = false
    checkBatch(batch)
    if (this.#repeats.isRepeat(batch)) {
      this.#counters.repeats++
      this.#cameAgain = true
      return []
    }
    return batch.events.filter(isAudited).map((event) => ({ to: 'audit', value: auditRecordOf(batch, event) }))
  }

  get isReplaying(): boolean {
    return this.#cameAgain
  }

  checkpoint(): Checkpoint {
    return { holdOffset: undefined, metadata: '' }
  }

  restore(): void {}
}

/** The audit service as the consume loop hosts it. */
export const auditModule = (): HandlerModule => ({ create: () => new Audit() })
