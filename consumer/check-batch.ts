// What a batch must hold true before a handler counts any of it.
import { RingsideError } from '../runtime/errors.ts'
import type { EventBatch } from '../wire/types.ts'

/** @throws RingsideError DATA when an event points at a process that the batch does not hold */
export const checkBatch = (batch: EventBatch): void => {
  const { length } = batch.processes
  for (const { process } of batch.events) {
    if (process >= 0 && process < length) continue
    const which = `batch ${batch.batch} of ${batch.host} (run ${batch.run})`
    throw new RingsideError('DATA', `${which} has ${length} processes, but an event of process ${process}`)
  }
}
