import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CounterSums } from '../../../cli/up/counter-sums.ts'

test('the sums are the latest report of the running process and the last one of each earlier process', () => {
  const sums = new CounterSums()
  sums.report({ events: 10 })
  sums.report({ events: 25, audit: 3 })
  sums.endProcess(true)
  assert.deepEqual(sums.sums(), { events: 25, audit: 3 })
  sums.report({ events: 5 })
  assert.deepEqual(sums.sums(), { events: 30, audit: 3 })
  assert.equal(sums.complete, true)
})

test('after a process without a final report the sums stay incomplete', () => {
  const sums = new CounterSums()
  sums.report({ events: 1 })
  sums.endProcess(false)
  sums.endProcess(true)
  assert.equal(sums.complete, false)
})
