// Consistency of a decoded batch, checked before a handler sees it: every reference has its row, every CPU can exist.
import { RingsideError } from '../../runtime/errors.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import type { EventBatch } from '../../wire/types.ts'
import { maxCpus } from './number-ranges.ts'

type Named = Pick<EventBatch, 'host' | 'run' | 'batch' | 'processes' | 'stacks'>

const refuse = ({ host, run, batch }: Named, why: string): never => {
  throw new RingsideError('DATA', `batch ${batch} of ${host} (run ${run}) has ${why}`)
}

const checkProcess = (batch: Named, process: number, row: string): void => {
  const { length } = batch.processes
  if (!(process >= 0 && process < length)) refuse(batch, `${length} processes, but ${row} of process ${process}`)
}

const checkCpu = (batch: Named, cpu: number): void => {
  if (!(cpu >= 0 && cpu < maxCpus)) refuse(batch, `an event of CPU ${cpu}, but a kernel has at most ${maxCpus}`)
}

const checkStack = (batch: Named, stack: number): void => {
  const { length } = batch.stacks
  if (!(stack >= -1 && stack < length)) refuse(batch, `${length} stacks, but an event of stack ${stack}`)
}

/** @throws RingsideError DATA when an event or summary refers to a missing row or an impossible CPU */
export const checkBatch = (batch: EventBatch): void => {
  for (const { process, cpu, stack } of batch.events) {
    checkProcess(batch, process, 'an event')
    checkCpu(batch, cpu)
    checkStack(batch, stack)
  }
  for (const { process } of batch.summaries) checkProcess(batch, process, 'a summary')
}

/** @throws RingsideError DATA when an event or summary refers to a missing row or an impossible CPU */
export const checkColumns = (batch: ColumnBatch): void => {
  const { events, summaries } = batch
  for (let i = 0; i < events.length; i++) {
    checkProcess(batch, events.process[i] as number, 'an event')
    checkCpu(batch, events.cpu[i] as number)
    checkStack(batch, events.stack[i] as number)
  }
  for (let i = 0; i < summaries.length; i++) checkProcess(batch, summaries.process[i] as number, 'a summary')
}
