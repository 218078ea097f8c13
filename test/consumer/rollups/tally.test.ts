import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tally } from '../../../consumer/rollups/tally.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { highestOf, indexOf } from '../../../wire/log-linear.ts'
import { batchOf, summaryOf } from '../support/batches.ts'

const shown = (tally: Tally) => {
  const { count, errors, bytes, totalNs, maxNs, durations } = tally
  return { count, errors, bytes, totalNs, maxNs, latency: durations.buckets(), errnos: tally.errnos() }
}

const sample = (): Tally => {
  const tally = new Tally()
  tally.add(100, 10, true)
  tally.add(300, -11, true)
  tally.add(300, -4, true)
  tally.add(200, 5, false)
  tally.add(300, -11, true)
  return tally
}

test('a tally sums durations and bytes, and errors by errno; a failed call moved no bytes', () => {
  assert.deepEqual(shown(sample()), {
    ...{ count: 5, errors: 3, bytes: 10, totalNs: 1200, maxNs: 300 },
    latency: [100, 200, 300].map((ns) => ({ index: indexOf(ns), count: ns === 300 ? 3 : 1 })),
    errnos: [
      { index: 4, count: 1 },
      { index: 11, count: 2 }
    ]
  })
})

test('the longest counted call is known by its bucket', () => {
  const tally = new Tally()
  const summaries = [summaryOf(), summaryOf({ errors: 0, errnos: [], latency: [{ index: 64, count: 4 }] })]
  const columns = columnsOf(batchOf({ summaries })).summaries
  tally.addSummary(columns, 0)
  tally.addSummary(columns, 1)
  assert.deepEqual(shown(tally), {
    ...{ count: 8, errors: 1, bytes: 24_576, totalNs: 18_000, maxNs: highestOf(370) },
    latency: [
      { index: 64, count: 4 },
      { index: 320, count: 3 },
      { index: 370, count: 1 }
    ],
    errnos: [{ index: 11, count: 1 }]
  })
})

test('merging adds a part up and does not change it', () => {
  const [whole, part] = [sample(), sample()]
  const before = shown(part)
  whole.merge(part)
  assert.deepEqual(shown(part), before)
  assert.deepEqual(shown(whole), {
    ...{ count: 10, errors: 6, bytes: 20, totalNs: 2400, maxNs: 300 },
    latency: before.latency.map(({ index, count }) => ({ index, count: 2 * count })),
    errnos: before.errnos.map(({ index, count }) => ({ index, count: 2 * count }))
  })
})
