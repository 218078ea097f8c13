// The slowest event of each call in a batch, in one pass over the columns: metrics use them as exemplars.
import { type ColumnBatch, callNames } from '../../wire/columns.ts'
import { eventKinds } from '../../wire/event-kind.ts'
import { workloadOf } from '../../wire/workload.ts'

export interface SlowCall {
  readonly host: string
  readonly workload: string
  readonly call: string
  readonly durationNs: number
  readonly timeSeconds: number
  readonly boot: string
  readonly cpu: number
  readonly seq: number
}

const syscallKind = eventKinds.indexOf('syscall')

/** By code of the call: 1 + the index of its slowest event so far; 0 for none. Reused for every batch. */
let slowest = new Int32Array(512)

export const slowestCalls = ({ host, boot, clock, processes, events }: ColumnBatch): SlowCall[] => {
  if (callNames.size > slowest.length) slowest = new Int32Array(2 * callNames.size)
  const { length, kind, code, durationNs, process, cpu, seq, timeOffsetNs } = events
  const codes: number[] = []
  for (let i = 0; i < length; i++) {
    if (kind[i] !== syscallKind) continue
    const call = code[i] as number
    const at = slowest[call] as number
    if (at === 0) codes.push(call)
    if (at === 0 || (durationNs[i] as number) > (durationNs[at - 1] as number)) slowest[call] = i + 1
  }
  return codes.flatMap((call): SlowCall[] => {
    const i = (slowest[call] as number) - 1
    slowest[call] = 0
    const caller = processes[process[i] as number]
    if (caller === undefined) return []
    return [
      {
        ...{ host, boot, workload: workloadOf(caller), call: callNames.nameOf(call) },
        durationNs: durationNs[i] as number,
        timeSeconds: clock.wall_us / 1e6 + (timeOffsetNs[i] as number) / 1e9,
        ...{ cpu: cpu[i] as number, seq: seq[i] as number }
      }
    ]
  })
}
