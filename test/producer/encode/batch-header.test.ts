import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeHeader, mergeHeaders, withDrops } from '../../../producer/encode/batch-header.ts'
import { decode } from '../../../wire/codec.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { headerOf } from '../../support/batch-header.ts'

const empty = (given: Partial<EventBatch>): EventBatch => ({
  ...headerOf(given),
  processes: [],
  sockets: [],
  stacks: [],
  events: [],
  summaries: []
})

test('an encoded header is the batch without its rows', () => {
  const header = headerOf({ batch: 7, sequences: [{ cpu: 1, first: 2, last: 3 }] })
  assert.deepEqual({ ...decode('EventBatch', encodeHeader(header)) }, empty(header))
})

test('drops are added to those already declared', () => {
  const drops: EventBatch['drops'] = [
    { class: 'io', reason: 'ring_full', count: 1 },
    { class: 'io', reason: 'spool_full', count: 2 }
  ]
  assert.deepEqual(withDrops(headerOf({ drops }), [4, 0, 0, 3]).drops, [
    { class: 'io', reason: 'ring_full', count: 1 },
    { class: 'io', reason: 'spool_full', count: 5 },
    { class: 'process', reason: 'spool_full', count: 4 }
  ])
})

test('merged headers cover the ranges of each, with the last number and clock', () => {
  const clock = { monotonic_us: 9, wall_us: 10 }
  const continues = { run: 'before', batch: 4 }
  const merged = mergeHeaders([
    empty({ batch: 1, continues, sequences: [{ cpu: 0, first: 1, last: 5 }] }),
    empty({
      batch: 2,
      sequences: [{ cpu: 1, first: 1, last: 2 }],
      drops: [{ class: 'file', reason: 'other', count: 1 }]
    }),
    empty({ batch: 3, final: true, clock, sequences: [{ cpu: 0, first: 6, last: 9 }] })
  ])
  assert.deepEqual([merged.batch, merged.final, merged.clock, merged.continues], [3, true, clock, continues])
  assert.deepEqual(merged.sequences, [
    { cpu: 0, first: 1, last: 9 },
    { cpu: 1, first: 1, last: 2 }
  ])
  assert.deepEqual(merged.drops, [{ class: 'file', reason: 'other', count: 1 }])
})

test('merged headers keep the predecessor of the run, and every step of the ledger', () => {
  const step = (reason: string) => ({ class: 'io' as const, mode: 'count', reason, monotonic_us: 1 })
  const ledger = (monotonic_us: number, ...reasons: string[]) => {
    return {
      monotonic_us,
      untracked: 0,
      uncounted: 0,
      classes: [],
      steps: reasons.map(step),
      limited: 0,
      process_events: 0,
      bound_steps: [],
      limited_processes: [],
      cpu_process_us: 0,
      cpu_programs_us: -1
    }
  }
  const merged = mergeHeaders([
    empty({ batch: 1, continues: { run: 'before', batch: 4 }, ledger: ledger(1, 'a') }),
    empty({ batch: 2, ledger: ledger(2, 'b', 'c') }),
    empty({ batch: 3 })
  ])
  assert.deepEqual(merged.continues, { run: 'before', batch: 4 })
  assert.deepEqual(merged.ledger, ledger(2, 'a', 'b', 'c'))
})
