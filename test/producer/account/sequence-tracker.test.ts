import assert from 'node:assert/strict'
import { test } from 'node:test'
import { summaryCpu } from '../../../bpf/event.ts'
import { SequenceTracker } from '../../../producer/account/sequence-tracker.ts'
import type { Account, SourceStatistics } from '../../../producer/source/source.ts'

type Sequences = SourceStatistics['sequences']

const statistics = (sequences: Sequences, dropped: Partial<SourceStatistics['dropped']> = {}): SourceStatistics => ({
  seen: 0,
  emitted: { process: 0, network: 0, file: 0, io: 0 },
  dropped: { process: 0, network: 0, file: 0, io: 0, ...dropped },
  sequences
})

const trackerOf = (sequences: Sequences, previous?: Account): SequenceTracker =>
  new SequenceTracker({ statistics: () => statistics(sequences), previous })

/** The encoder's progress after so many events of class io, with the highest seq of each CPU. */
const progress = (events: number, highest: Readonly<Record<number, number>>) => {
  const all = new Float64Array(summaryCpu + 1)
  for (const [cpu, seq] of Object.entries(highest)) all[Number(cpu)] = seq
  return { events: [0, 0, 0, events], highest: all }
}

const closeOf = (tracker: SequenceTracker, taken: ReturnType<typeof progress>, final = false) => {
  const { sequences, drops } = tracker.close(taken, final)
  return { sequences, drops }
}

test('ranges start where the programs started, and follow each other', () => {
  const tracker = trackerOf([{ cpu: 3, before: 100, last: 105 }])
  assert.deepEqual(closeOf(tracker, progress(2, { 3: 102 })), {
    sequences: [{ cpu: 3, first: 101, last: 102 }],
    drops: []
  })
  assert.deepEqual(closeOf(tracker, progress(2, { 3: 102 })), { sequences: [], drops: [] })
  assert.deepEqual(closeOf(tracker, progress(3, { 3: 103 })).sequences, [{ cpu: 3, first: 103, last: 103 }])
})

test('a drop is declared once its gap is inside the ranges', () => {
  const tracker = trackerOf([{ cpu: 0, before: 0, last: 3 }])
  tracker.update(statistics([{ cpu: 0, before: 0, last: 2 }], { network: 1 }), false)
  assert.deepEqual(closeOf(tracker, progress(1, { 0: 1 })).drops, [])
  assert.deepEqual(closeOf(tracker, progress(2, { 0: 3 })).drops, [{ class: 'network', reason: 'ring_full', count: 1 }])
})

test('a drop after the last record of a CPU is declared once the ring is empty', () => {
  const tracker = trackerOf([{ cpu: 0, before: 10, last: 12 }])
  tracker.update(statistics([{ cpu: 0, before: 10, last: 12 }], { io: 2 }), true)
  assert.deepEqual(closeOf(tracker, progress(0, {})), {
    sequences: [{ cpu: 0, first: 11, last: 12 }],
    drops: [{ class: 'io', reason: 'ring_full', count: 2 }]
  })
  assert.deepEqual(tracker.dropped, [0, 0, 0, 2])
})

test('a record that leaves its ring late is not declared as dropped', () => {
  const tracker = trackerOf([{ cpu: 0, before: 0, last: 2 }])
  assert.deepEqual(closeOf(tracker, progress(1, { 0: 2 })).drops, [])
  assert.deepEqual(closeOf(tracker, progress(2, { 0: 2 }), true), { sequences: [], drops: [] })
})

test('summaries have their own ranges, which count no events', () => {
  const tracker = trackerOf([{ cpu: summaryCpu, before: 0, last: 7 }])
  assert.deepEqual(closeOf(tracker, progress(0, { [summaryCpu]: 5 })), {
    sequences: [{ cpu: -1, first: 1, last: 5 }],
    drops: []
  })
  tracker.update(statistics([{ cpu: summaryCpu, before: 0, last: 7 }]), true)
  assert.deepEqual(closeOf(tracker, progress(0, { [summaryCpu]: 7 }), true), {
    sequences: [{ cpu: -1, first: 6, last: 7 }],
    drops: []
  })
})

test('the final batch declares every gap, and no drop without a gap', () => {
  const tracker = trackerOf([{ cpu: 0, before: 0, last: 4 }])
  assert.deepEqual(closeOf(tracker, progress(2, { 0: 4 }), true).drops, [
    { class: 'process', reason: 'other', count: 2 }
  ])
  assert.deepEqual(tracker.dropped, [2, 0, 0, 0])

  const miscounted = trackerOf([{ cpu: 0, before: 0, last: 1 }])
  miscounted.update(statistics([{ cpu: 0, before: 0, last: 1 }], { io: 5 }), true)
  assert.deepEqual(closeOf(miscounted, progress(1, { 0: 1 }), true).drops, [])
  assert.deepEqual(miscounted.dropped, [0, 0, 0, 0])
})

test('a run that takes over continues after the durable batches of its predecessor', () => {
  const sequences = [
    { cpu: 0, before: 100, last: 150 },
    { cpu: 1, before: 500, last: 510 }
  ]
  const first = trackerOf(sequences)
  first.update(statistics(sequences, { io: 3 }), false)
  // 103 of CPU 0 is still in its ring, two others were dropped.
  const { account, drops } = first.close(progress(8, { 0: 110 }), false)
  assert.deepEqual(drops, [{ class: 'io', reason: 'ring_full', count: 2 }])
  first.close(progress(20, { 0: 130 }), false)

  const second = trackerOf(sequences, { run: 'first', batch: 1, ...account })
  second.update(statistics(sequences, { io: 3 }), false)
  assert.deepEqual(second.dropped, [0, 0, 0, 1])
  // 111–120 but one, 501, and 103.
  assert.deepEqual(closeOf(second, progress(11, { 0: 120, 1: 501 })), {
    sequences: [
      { cpu: 0, first: 111, last: 120 },
      { cpu: 1, first: 501, last: 501 }
    ],
    drops: []
  })
  assert.deepEqual(closeOf(second, progress(11, { 0: 121, 1: 501 })), {
    sequences: [{ cpu: 0, first: 121, last: 121 }],
    drops: [{ class: 'io', reason: 'ring_full', count: 1 }]
  })
})

test('after a takeover with new drop counters, only the undeclared gap is declared', () => {
  const sequences = [{ cpu: 0, before: 1000, last: 1105 }]
  // The predecessor accounted for 1001–1100; 1101 and 1102 were lost with its rings.
  const closed = [{ cpu: 0, seq: 1100 }]
  const tracker = trackerOf(sequences, {
    run: 'first',
    batch: 1,
    closed,
    declared: [0, 0, 0, 0],
    events: [4, 0, 0, 96]
  })
  tracker.update(statistics(sequences), true)
  assert.deepEqual(closeOf(tracker, progress(3, { 0: 1105 }), true), {
    sequences: [{ cpu: 0, first: 1101, last: 1105 }],
    drops: [{ class: 'process', reason: 'other', count: 2 }]
  })
})

test('an event of a CPU that the statistics lack is refused', () => {
  assert.throws(() => trackerOf([]).close(progress(1, { 5: 3 }), false), { code: 'DATA', message: /CPU 5/ })
})
