// Rows of rollups that are as large as they have to be.
import type { HostStatus, Rollup } from '../../../../wire/types.ts'
import { samples } from '../../../support/records.ts'

/** A row of web-1's /usr/bin/curl and read, of 1 s from this second of the epoch on. */
export const row = (second: number, more: Partial<Rollup> = {}): Rollup => ({
  ...samples.Rollup,
  window_start: second * 1e6,
  pid: 0,
  start_us: 0,
  ...more
})

/** A row of one process. */
export const processRow = (second: number, pid: number, more: Partial<Rollup> = {}): Rollup =>
  row(second, { by: 'process', pid, start_us: pid * 1000, comm: `p${pid}`, ...more })

export const status = (second: number, more: Partial<HostStatus> = {}): HostStatus => ({
  ...samples.HostStatus,
  window_start: second * 1e6,
  ...more
})
