// Rollups and host statuses with default values.
import { Windows } from '../../../../consumer/panel/state/windows.ts'
import type { HostStatus, Rollup } from '../../../../wire/types.ts'
import { samples } from '../../../support/records.ts'

/** A rollup of web-1, /usr/bin/curl and read, for the window of 1 s from this second of the epoch on. */
export const row = (second: number, more: Partial<Rollup> = {}): Rollup => ({
  ...samples.Rollup,
  window_start: second * 1e6,
  pid: 0,
  start_us: 0,
  ...more
})

/** A rollup by process. */
export const processRow = (second: number, pid: number, more: Partial<Rollup> = {}): Rollup =>
  row(second, { by: 'process', pid, start_us: pid * 1000, comm: `p${pid}`, ...more })

export const status = (second: number, more: Partial<HostStatus> = {}): HostStatus => ({
  ...samples.HostStatus,
  window_start: second * 1e6,
  ...more
})

/** Windows of 1 s with these rows. */
export const windowsOf = (...rows: Rollup[]): Windows => {
  const windows = new Windows({ windowMs: 1000, keptMs: 60_000, maxRows: 1000 })
  for (const [change, each] of rows.entries()) windows.add(each, change, 1e12)
  return windows
}
