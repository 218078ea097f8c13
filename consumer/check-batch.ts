// What a batch must hold true before a handler counts any of it.
import { RingsideError } from '../runtime/errors.ts'
import type { EventBatch } from '../wire/types.ts'

/** @throws RingsideError DATA when an event or a summary points at a process that the batch does not hold */
export const checkBatch = (batch: EventBatch): void => {
  const { length } = batch.processes
  const check = (process: number, what: string): void => {
    if (process >= 0 && process < length) return
    const which = `batch ${batch.batch} of ${batch.host} (run ${batch.run})`
    throw new RingsideError('DATA', `${which} has ${length} processes, but ${what} of process ${process}`)
  }
  for (const { process } of batch.events) check(process, 'an event')
  for (const { process } of batch.summaries) check(process, 'a summary')
}
