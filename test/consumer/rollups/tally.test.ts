import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tally } from '../../../consumer/rollups/tally.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { highestOf, indexOf } from '../../../wire/log-linear.ts'
import { verdictTableOf } from '../../../wire/verdict.ts'
import { batchOf, summaryOf } from '../support/batches.ts'

const shown = (tally: Tally) => {
  const { count, failed, expected, interrupted, bytes, totalNs, maxNs, durations } = tally
  const sums = { count, failed, expected, interrupted, bytes, totalNs, maxNs }
  return { ...sums, latency: durations.buckets(), errnos: tally.errnos() }
}

const ofRead = verdictTableOf('read')

const sample = (): Tally => {
  const tally = new Tally()
  tally.add(100, 10, true, ofRead)
  tally.add(300, -11, true, ofRead)
  tally.add(300, -4, true, ofRead)
  tally.add(200, 5, false, ofRead)
  tally.add(300, -11, true, ofRead)
  tally.add(300, -5, true, ofRead)
  return tally
}

test('a tally sums durations and bytes, and errors by verdict and errno; a call with an error moved no bytes', () => {
  assert.deepEqual(shown(sample()), {
    ...{ count: 6, failed: 1, expected: 2, interrupted: 1, bytes: 10, totalNs: 1500, maxNs: 300 },
    latency: [100, 200, 300].map((ns) => ({ index: indexOf(ns), count: ns === 300 ? 4 : 1 })),
    errnos: [
      { errno: 'EINTR', count: 1 },
      { errno: 'EIO', count: 1 },
      { errno: 'EAGAIN', count: 2 }
    ]
  })
})

test('the longest counted call is known by its bucket', () => {
  const tally = new Tally()
  const summaries = [summaryOf(), summaryOf({ errors: 0, errnos: [], latency: [{ index: 64, count: 4 }] })]
  const columns = columnsOf(batchOf({ summaries })).summaries
  tally.addSummary(columns, 0, ofRead)
  tally.addSummary(columns, 1, ofRead)
  assert.deepEqual(shown(tally), {
    ...{ count: 8, failed: 0, expected: 1, interrupted: 0, bytes: 24_576, totalNs: 18_000, maxNs: highestOf(370) },
    latency: [
      { index: 64, count: 4 },
      { index: 320, count: 3 },
      { index: 370, count: 1 }
    ],
    errnos: [{ errno: 'EAGAIN', count: 1 }]
  })
})

test('merging adds a part up and does not change it', () => {
  const [whole, part] = [sample(), sample()]
  const before = shown(part)
  whole.merge(part)
  assert.deepEqual(shown(part), before)
  assert.deepEqual(shown(whole), {
    ...{ count: 12, failed: 2, expected: 4, interrupted: 2, bytes: 20, totalNs: 3000, maxNs: 300 },
    latency: before.latency.map(({ index, count }) => ({ index, count: 2 * count })),
    errnos: before.errnos.map(({ errno, count }) => ({ errno, count: 2 * count }))
  })
})

test('an error without its call adds to the results only', () => {
  const tally = new Tally()
  tally.addError(111, 2, verdictTableOf('connect'))
  assert.deepEqual(shown(tally), {
    ...{ count: 0, failed: 2, expected: 0, interrupted: 0, bytes: 0, totalNs: 0, maxNs: 0 },
    latency: [],
    errnos: [{ errno: 'ECONNREFUSED', count: 2 }]
  })
})

test('an address beyond the errors is no error', () => {
  const tally = new Tally()
  tally.add(100, -4096, false, verdictTableOf('mmap'))
  assert.deepEqual([tally.count, tally.failed, tally.errnos()], [1, 0, []])
})
