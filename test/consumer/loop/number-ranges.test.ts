import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NumberRanges } from '../../../consumer/loop/number-ranges.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { batchOf, eventOf, summaryOf } from '../support/batches.ts'

const rangesOf = (ranges: NumberRanges, events: [cpu: number, seq: number][], summaries: number[] = []) => {
  ranges.fill(
    columnsOf(
      batchOf({
        events: events.map(([cpu, seq]) => eventOf({ cpu, seq })),
        summaries: summaries.map((seq) => summaryOf({ seq }))
      })
    )
  )
  return ranges.cpus.map((cpu, i) => [cpu, ranges.firsts[i], ranges.lasts[i]])
}

test('consecutive numbers of a CPU are one range, and a gap or a step back starts another', () => {
  const ranges = new NumberRanges()
  const events: [number, number][] = [
    [0, 5],
    [8191, 9],
    [0, 6],
    [8191, 10],
    [0, 8],
    [0, 7],
    [8191, 10]
  ]
  assert.deepEqual(rangesOf(ranges, events, [3, 4]), [
    [0, 5, 6],
    [8191, 9, 10],
    [0, 8, 8],
    [0, 7, 7],
    [8191, 10, 10],
    [-1, 3, 4]
  ])
})

test('filling the ranges for a batch removes those of the previous one', () => {
  const ranges = new NumberRanges()
  rangesOf(ranges, [[0, 5]], [1])
  assert.deepEqual(rangesOf(ranges, [[0, 6]], [2]), [
    [0, 6, 6],
    [-1, 2, 2]
  ])
  assert.deepEqual(rangesOf(ranges, []), [])
})
