// What a batch says beside its events, for tests that need no more of it.
import type { BatchHeader } from '../../producer/encode/batch-header.ts'

/** Batch 1 of run "run" on host "h", but for what is given. */
export const headOf = (given: Partial<BatchHeader> = {}): BatchHeader => ({
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
