import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CounterSums } from '../../../cli/up/counter-sums.ts'

test('counters are the latest report of the running incarnation plus the last of each before', () => {
  const sums = new CounterSums()
  sums.report({ events: 10 })
  sums.report({ events: 25, audit: 3 })
  sums.endIncarnation(true)
  assert.deepEqual(sums.sums(), { events: 25, audit: 3 })
  sums.report({ events: 5 })
  assert.deepEqual(sums.sums(), { events: 30, audit: 3 })
  assert.equal(sums.complete, true)
})

test('an incarnation that ends without its final report leaves the sums incomplete for good', () => {
  const sums = new CounterSums()
  sums.report({ events: 1 })
  sums.endIncarnation(false)
  sums.endIncarnation(true)
  assert.equal(sums.complete, false)
})
