// A batch's header, for tests that need no rows.
import type { BatchHeader } from '../../producer/encode/batch-header.ts'

/** The header of batch 1 of run "run" on host "h", except for the given fields. */
export const headerOf = (given: Partial<BatchHeader> = {}): BatchHeader => ({
  host: 'h',
  boot: 'boot',
  agent: '0',
  run: 'run',
  batch: 1,
  continues: null,
  final: false,
  clock: { monotonic_us: 1, wall_us: 1_700_000_000_000_000 },
  counted_until_us: -1,
  sequences: [],
  drops: [],
  ledger: null,
  ...given
})
