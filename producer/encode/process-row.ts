// The row of a process for one program and one combination of comm, uid, euid, ppid and cgroup.
import { eventField as field } from '../../bpf/event.ts'
import type { Process } from '../../wire/types.ts'
import type { Program } from '../go/symbolizer.ts'
import { clampLong, microsecondsAt, microsecondsOf } from '../source/numbers.ts'
import type { RawEvents } from '../source/raw-events.ts'

export type Identity = Pick<Program, 'pid' | 'startNs'>

/** What all rows of a process have. */
export interface Common {
  /** Of the fields that all its rows have; no two processes share one. */
  version: number
  containerId: string | null
  /** The process that made it; null when its fork was not observed. */
  readonly creator: Identity | null
}

export interface Row {
  /** Of the fields in common. */
  readonly version: number
  readonly words: readonly number[]
  readonly process: Process
  batch: number
  index: number
}

const wordOffsets = [
  field.comm,
  field.comm + 4,
  field.comm + 8,
  field.comm + 12,
  field.uid,
  field.euid,
  field.ppid,
  field.cgroupId,
  field.cgroupId + 4
] as const

export const matches = (row: Row, version: number, raw: RawEvents, record: number): boolean => {
  if (row.version !== version) return false
  for (let i = 0; i < wordOffsets.length; i++) {
    if (row.words[i] !== raw.u32(record + (wordOffsets[i] as number))) return false
  }
  return true
}

export const startUs = ({ startNs }: Identity): number => clampLong(microsecondsOf(startNs))

export const newRow = (entry: Common, exe: string | null, raw: RawEvents, record: number): Row => ({
  version: entry.version,
  words: wordOffsets.map((offset) => raw.u32(record + offset)),
  process: {
    pid: raw.i32(record + field.pid),
    start_us: microsecondsAt(raw, record + field.startNs),
    ppid: raw.i32(record + field.ppid),
    uid: raw.u32(record + field.uid),
    comm: raw.comm(record),
    exe,
    container_id: entry.containerId,
    cgroup_id: clampLong(raw.u64(record + field.cgroupId)),
    euid: raw.u32(record + field.euid),
    creator_pid: entry.creator?.pid ?? -1,
    creator_start_us: entry.creator === null ? -1 : startUs(entry.creator)
  },
  batch: 0,
  index: 0
})
