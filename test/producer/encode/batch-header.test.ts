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

test('a batch without its events says all else that it said', () => {
  const header = headerOf({ batch: 7, sequences: [{ cpu: 1, first: 2, last: 3 }] })
  assert.deepEqual({ ...decode('EventBatch', encodeHeader(header)) }, empty(header))
})

test('losses are added to those that were declared before', () => {
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

test('joined batches answer for all ranges of each, under the last number and clock', () => {
  const clock = { monotonic_us: 9, wall_us: 10 }
  const continues = { run: 'before', batch: 4 }
  const joined = mergeHeaders([
    empty({ batch: 1, continues, sequences: [{ cpu: 0, first: 1, last: 5 }] }),
    empty({
      batch: 2,
      sequences: [{ cpu: 1, first: 1, last: 2 }],
      drops: [{ class: 'file', reason: 'other', count: 1 }]
    }),
    empty({ batch: 3, final: true, clock, sequences: [{ cpu: 0, first: 6, last: 9 }] })
  ])
  assert.deepEqual([joined.batch, joined.final, joined.clock, joined.continues], [3, true, clock, continues])
  assert.deepEqual(joined.sequences, [
    { cpu: 0, first: 1, last: 9 },
    { cpu: 1, first: 1, last: 2 }
  ])
  assert.deepEqual(joined.drops, [{ class: 'file', reason: 'other', count: 1 }])
})

test('joined batches still say whom the run took over from, and every step of the ledger', () => {
  const step = (reason: string) => ({ class: 'io' as const, mode: 'count', reason, monotonic_us: 1 })
  const ledger = (monotonic_us: number, ...reasons: string[]) => {
    return { monotonic_us, untracked: 0, uncounted: 0, classes: [], steps: reasons.map(step) }
  }
  const joined = mergeHeaders([
    empty({ batch: 1, continues: { run: 'before', batch: 4 }, ledger: ledger(1, 'a') }),
    empty({ batch: 2, ledger: ledger(2, 'b', 'c') }),
    empty({ batch: 3 })
  ])
  assert.deepEqual(joined.continues, { run: 'before', batch: 4 })
  assert.deepEqual(joined.ledger, ledger(2, 'a', 'b', 'c'))
})
