// Records each call of a batch once, emitted or counted, in the cell of its window. Requests to io_uring are calls, too. The
// outcome of a connect or a request adds its error, and further messages their bytes, to the calls of their process.
import { movesBytes } from '../../wire/bytes-moved.ts'
import { type ColumnBatch, callNames } from '../../wire/columns.ts'
import { eventKinds } from '../../wire/event-kind.ts'
import type { Process } from '../../wire/types.ts'
import { type VerdictTable, verdictTableOf } from '../../wire/verdict.ts'
import type { ShortestWindow } from './shortest-window.ts'

const syscall = eventKinds.indexOf('syscall')
const ioUring = eventKinds.indexOf('io_uring')
const connectOutcome = eventKinds.indexOf('connect_outcome')
const requestOutcome = eventKinds.indexOf('io_uring_outcome')
const messages = eventKinds.indexOf('messages')
const connect = callNames.codeOf('connect')

/**
 * An edge counts from just after one second to just after the next, so that the middle of a summary's time is in its
 * second. A summary of a longer time, as after an outage, belongs to the second in which it ended.
 */
const maxHalfUs = 500_000

/** By code of a call: true when it returns a number of bytes. */
const bytesMovers: boolean[] = []
/** By code of a call. */
const verdicts: VerdictTable[] = []

/** The window of a time, with a cache for the batch; undefined when no window accepts the calls. */
export type WindowAt = (timeUs: number, calls: number) => ShortestWindow | undefined

/** @param byFunction true to record calls of different Go functions in different cells */
export const recordCalls = (batch: ColumnBatch, windowAt: WindowAt, byFunction: boolean): void => {
  for (let code = bytesMovers.length; code < callNames.size; code++) {
    const name = callNames.nameOf(code)
    bytesMovers.push(movesBytes.has(name))
    verdicts.push(verdictTableOf(name))
  }
  recordEvents(batch, windowAt, byFunction)
  recordSummaries(batch, windowAt)
}

const recordEvents = (
  { clock, processes, stacks, events }: ColumnBatch,
  windowAt: WindowAt,
  byFunction: boolean
): void => {
  const width = callNames.size
  const { length, kind, code, process, timeOffsetNs, durationNs, ret, bytes, stack } = events
  let window: ShortestWindow | undefined
  let fromNs = 0
  let toNs = 0
  for (let i = 0; i < length; i++) {
    const isOutcome = (kind[i] === connectOutcome || kind[i] === requestOutcome) && (ret[i] as number) < 0
    const isAddition = isOutcome || kind[i] === messages
    if (kind[i] !== syscall && kind[i] !== ioUring && !isAddition) continue
    const ns = timeOffsetNs[i] as number
    if (ns < fromNs || ns >= toNs) {
      window = windowAt(clock.wall_us + Math.floor(ns / 1000), isAddition ? 0 : 1)
      fromNs = window === undefined ? 0 : (window.window.startUs - clock.wall_us) * 1000
      toNs = window === undefined ? 0 : (window.window.endUs - clock.wall_us) * 1000
    }
    if (window === undefined) continue
    const call = kind[i] === connectOutcome ? connect : (code[i] as number)
    const processAt = process[i] as number
    const stackAt = byFunction ? (stack[i] as number) : -1
    const goFunction = stackAt < 0 ? null : (stacks[stackAt]?.go_function ?? null)
    const cell = window.cellAt(processAt * width + call, processes[processAt] as Process, goFunction, call)
    const part = cell.part ?? window.createPart(cell)
    if ((bytes[i] as number) > 0) part.bytes += bytes[i] as number
    if (kind[i] === messages) continue
    if (isOutcome) {
      part.addError(-(ret[i] as number), 1, verdicts[call] as VerdictTable)
      continue
    }
    window.emitted++
    part.add(durationNs[i] as number, ret[i] as number, bytesMovers[call] as boolean, verdicts[call] as VerdictTable)
  }
}

const recordSummaries = ({ clock, processes, summaries }: ColumnBatch, windowAt: WindowAt): void => {
  const width = callNames.size
  for (let row = 0; row < summaries.length; row++) {
    const endUs = clock.wall_us + Math.floor((summaries.timeOffsetNs[row] as number) / 1000)
    const halfUs = Math.min(Math.floor((summaries.durationNs[row] as number) / 2000), maxHalfUs)
    const calls = summaries.count[row] as number
    // It only declares calls that are in no summary, or outcomes.
    if (calls === 0) continue
    const window = windowAt(endUs - halfUs, calls)
    if (window === undefined) continue
    const call = summaries.code[row] as number
    const processAt = summaries.process[row] as number
    const cell = window.cellAt(processAt * width + call, processes[processAt] as Process, null, call)
    window.counted += calls
    const part = cell.part ?? window.createPart(cell)
    part.addSummary(summaries, row, verdicts[call] as VerdictTable)
  }
}
