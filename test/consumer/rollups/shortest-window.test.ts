import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchCache } from '../../../consumer/rollups/batch-cache.ts'
import { Rates } from '../../../consumer/rollups/rates.ts'
import { ShortestWindow } from '../../../consumer/rollups/shortest-window.ts'
import { Window } from '../../../consumer/rollups/window.ts'
import type { Process } from '../../../wire/types.ts'
import { verdictTableOf } from '../../../wire/verdict.ts'
import { processOf } from '../support/batches.ts'

const rates = new Rates(1e6, 100)

/** A window of 1 s within one of 10 s, and a function that records a call in it. */
const setUp = (maxCells = 100) => {
  const tenSeconds = new Window(0, 10e6, 100)
  const short = new ShortestWindow(new Window(0, 1e6, 100), [tenSeconds], ['process', 'go_function'], maxCells)
  short.cache = new BatchCache()
  const call = (slot: number, process: Process, goFunction: string | null = null) => {
    const cell = short.cellAt(slot, process, goFunction, 0)
    const part = cell.part ?? short.createPart(cell)
    part.add(10, 0, false, verdictTableOf('read'))
  }
  const rowsOf = (window: Window) =>
    window.publish(true).map(({ by, key, count }) => [by, key.pid, key.goFunction, count].join(' '))
  return { tenSeconds, short, call, rowsOf }
}

test('mergeParts() adds each call once to each of its rows', () => {
  const { tenSeconds, short, call, rowsOf } = setUp()
  const [one, two] = [processOf({ pid: 1 }), processOf({ pid: 2 })]
  call(0, one)
  call(0, one)
  call(1, two)
  short.mergeParts(rates)
  call(0, one)
  call(0, one, 'main.main')
  short.mergeParts(rates)
  short.mergeParts(rates)
  assert.deepEqual(rowsOf(short.window), ['workload 0  5', 'process 1  4', 'process 2  1', 'go_function 0 main.main 1'])
  assert.deepEqual(rowsOf(tenSeconds), ['workload 0  5'])
})

test('a late call finds its rows after the cells were released', () => {
  const { tenSeconds, short, call, rowsOf } = setUp()
  const one = processOf({ pid: 1 })
  call(0, one)
  short.mergeParts(rates)
  short.releaseCells()
  assert.equal(short.keys, 0)
  short.cache = new BatchCache()
  call(0, one)
  short.mergeParts(rates)
  assert.deepEqual(rowsOf(short.window), ['workload 0  2', 'process 1  2'])
  assert.deepEqual(rowsOf(tenSeconds), ['workload 0  2'])
})

test('processes beyond the bound share a row, their workloads do not', () => {
  const { short, call, rowsOf } = setUp(1)
  call(0, processOf({ pid: 1, exe: '/bin/a' }))
  call(1, processOf({ pid: 2, exe: '/bin/a' }))
  call(2, processOf({ pid: 3, exe: '/bin/a' }))
  short.mergeParts(rates)
  assert.deepEqual(rowsOf(short.window), ['workload 0  3', 'process 1  1', 'process 0  2'])
  assert.deepEqual([short.keys, short.overflowCalls], [1, 2])
})
