import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Key } from '../../../consumer/rollups/key.ts'
import { Tally } from '../../../consumer/rollups/tally.ts'
import { Window } from '../../../consumer/rollups/window.ts'
import { processOf } from '../support/batches.ts'

const keyOf = (pid: number): Key => ({ workload: '/bin/a', pid, startUs: 1, goFunction: null, code: 0 })

const partOf = (calls: number): Tally => {
  const tally = new Tally()
  for (let i = 0; i < calls; i++) tally.add(10, 0, false)
  return tally
}

const setUp = () => {
  const window = new Window(0, 1e6, 100)
  const add = (pid: number, calls: number) =>
    window.add(window.rowOf('process', keyOf(pid), processOf()), partOf(calls), true)
  const tell = (closes: boolean) => window.tell(closes).map(({ key, revision, count }) => [key.pid, revision, count])
  return { window, add, tell }
}

test('it tells rows that changed, at its close all of them, each time with the next revision', () => {
  const { window, add, tell } = setUp()
  add(1, 1)
  add(1, 1)
  add(2, 1)
  assert.deepEqual(tell(false), [
    [1, 1, 2],
    [2, 1, 1]
  ])
  assert.deepEqual(tell(false), [])
  add(2, 5)
  add(3, 1)
  assert.equal(window.isClosed, false)
  assert.deepEqual(tell(true), [
    [1, 2, 2],
    [2, 2, 6],
    [3, 1, 1]
  ])
  assert.equal(window.isClosed, true)
  add(3, 1)
  assert.deepEqual(tell(false), [[3, 2, 2]])
})

test('a part that others merge from stays as it is', () => {
  const window = new Window(0, 1e6, 100)
  const part = partOf(2)
  const [one, two] = [1, 2].map((pid) => window.rowOf('process', keyOf(pid), processOf()))
  if (one === undefined || two === undefined) assert.fail()
  window.add(one, part, false)
  window.add(one, part, false)
  window.add(two, part, true)
  assert.deepEqual([part.count, one.count, two.count], [2, 4, 2])
})
