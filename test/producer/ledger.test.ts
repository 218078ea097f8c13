import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger } from '../../producer/ledger.ts'
import type { SourceStatistics } from '../../producer/source.ts'

const statistics = (
  sequences: SourceStatistics['sequences'],
  dropped: Partial<SourceStatistics['dropped']> = {}
): SourceStatistics => ({
  seen: 0,
  emitted: { process: 0, network: 0, file: 0, io: 0 },
  dropped: { process: 0, network: 0, file: 0, io: 0, ...dropped },
  sequences
})

test('ranges begin where the programs began, and follow each other', () => {
  const ledger = new Ledger(() => statistics([{ cpu: 3, before: 100, last: 105 }]))
  ledger.saw(3, 101)
  ledger.saw(3, 102)
  assert.deepEqual(ledger.close(false), { sequences: [{ cpu: 3, first: 101, last: 102 }], drops: [] })
  assert.deepEqual(ledger.close(false), { sequences: [], drops: [] })
  ledger.saw(3, 103)
  assert.deepEqual(ledger.close(false).sequences, [{ cpu: 3, first: 103, last: 103 }])
})

test('a loss is declared when its gap is inside the ranges, not before', () => {
  const ledger = new Ledger(() => statistics([{ cpu: 0, before: 0, last: 3 }]))
  ledger.saw(0, 1)
  ledger.update(statistics([{ cpu: 0, before: 0, last: 2 }], { network: 1 }), false)
  assert.deepEqual(ledger.close(false).drops, [])
  ledger.saw(0, 3)
  assert.deepEqual(ledger.close(false).drops, [{ class: 'network', reason: 'ring_full', count: 1 }])
})

test('a loss at the end of a CPU is declared as soon as the ring is empty', () => {
  const ledger = new Ledger(() => statistics([]))
  ledger.update(statistics([{ cpu: 0, before: 10, last: 12 }], { io: 2 }), true)
  assert.deepEqual(ledger.close(false), {
    sequences: [{ cpu: 0, first: 11, last: 12 }],
    drops: [{ class: 'io', reason: 'ring_full', count: 2 }]
  })
  assert.deepEqual(ledger.lost, [0, 0, 0, 2])
})

test('a record that comes late is no loss', () => {
  const ledger = new Ledger(() => statistics([{ cpu: 0, before: 0, last: 2 }]))
  ledger.saw(0, 2)
  assert.deepEqual(ledger.close(false).drops, [])
  ledger.saw(0, 1)
  assert.deepEqual(ledger.close(true), { sequences: [], drops: [] })
  assert.equal(ledger.events, 2)
})

test('refused events are declared once, with the reason', () => {
  const ledger = new Ledger(() => statistics([{ cpu: 0, before: 0, last: 2 }]))
  for (const seq of [1, 2]) {
    ledger.saw(0, seq)
    ledger.refuse(2)
  }
  assert.deepEqual(ledger.close(false), {
    sequences: [{ cpu: 0, first: 1, last: 2 }],
    drops: [{ class: 'file', reason: 'backlog_full', count: 2 }]
  })
  assert.deepEqual(ledger.close(true).drops, [])
  assert.deepEqual(ledger.refused, [0, 0, 2, 0])
})

test('the last batch declares a gap that nobody counted, and nothing that left no gap', () => {
  const ledger = new Ledger(() => statistics([{ cpu: 0, before: 0, last: 4 }]))
  ledger.saw(0, 1)
  ledger.saw(0, 4)
  ledger.update(statistics([{ cpu: 0, before: 0, last: 4 }]), true)
  assert.deepEqual(ledger.close(true).drops, [{ class: 'process', reason: 'other', count: 2 }])
  assert.deepEqual(ledger.lost, [2, 0, 0, 0])

  const miscounted = new Ledger(() => statistics([{ cpu: 0, before: 0, last: 1 }]))
  miscounted.saw(0, 1)
  miscounted.update(statistics([{ cpu: 0, before: 0, last: 1 }], { io: 5 }), true)
  assert.deepEqual(miscounted.close(true).drops, [])
  assert.deepEqual(miscounted.lost, [0, 0, 0, 0])
})
