import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Key } from '../../../consumer/rollups/key.ts'
import { Tally } from '../../../consumer/rollups/tally.ts'
import { Window } from '../../../consumer/rollups/window.ts'
import { verdictTableOf } from '../../../wire/verdict.ts'
import { processOf } from '../support/batches.ts'

const keyOf = (pid: number): Key => ({ workload: '/bin/a', pid, startUs: 1, goFunction: null, code: 0 })

const partOf = (calls: number): Tally => {
  const tally = new Tally()
  for (let i = 0; i < calls; i++) tally.add(10, 0, false, verdictTableOf('read'))
  return tally
}

const setUp = () => {
  const window = new Window(0, 1e6, 100)
  const add = (pid: number, calls: number) =>
    window.add(window.rowOf('process', keyOf(pid), processOf()), partOf(calls), true)
  const publish = (closes: boolean) =>
    window.publish(closes).map(({ key, revision, count }) => [key.pid, revision, count])
  return { window, add, publish }
}

test('a window publishes the rows that changed, and all of them when it closes, with the next revision', () => {
  const { window, add, publish } = setUp()
  add(1, 1)
  add(1, 1)
  add(2, 1)
  assert.deepEqual(publish(false), [
    [1, 1, 2],
    [2, 1, 1]
  ])
  assert.deepEqual(publish(false), [])
  add(2, 5)
  add(3, 1)
  assert.equal(window.isClosed, false)
  assert.deepEqual(publish(true), [
    [1, 2, 2],
    [2, 2, 6],
    [3, 1, 1]
  ])
  assert.equal(window.isClosed, true)
  add(3, 1)
  assert.deepEqual(publish(false), [[3, 2, 2]])
})

test('merging a part into several rows does not change it', () => {
  const window = new Window(0, 1e6, 100)
  const part = partOf(2)
  const [one, two] = [1, 2].map((pid) => window.rowOf('process', keyOf(pid), processOf()))
  if (one === undefined || two === undefined) assert.fail()
  window.add(one, part, false)
  window.add(one, part, false)
  window.add(two, part, true)
  assert.deepEqual([part.count, one.count, two.count], [2, 4, 2])
})
