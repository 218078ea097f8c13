import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rates } from '../../../consumer/rollups/rates.ts'
import { ShortestWindow } from '../../../consumer/rollups/shortest-window.ts'
import { Slots } from '../../../consumer/rollups/slots.ts'
import { Window } from '../../../consumer/rollups/window.ts'
import type { Process } from '../../../wire/types.ts'
import { processOf } from '../support/batches.ts'

const rates = new Rates(1e6, 100)

/** A second within ten, and how a call is added to it. */
const setUp = (maxCells = 100) => {
  const tenSeconds = new Window(0, 10e6, 100)
  const short = new ShortestWindow(new Window(0, 1e6, 100), [tenSeconds], ['process', 'go_function'], maxCells)
  short.slots = new Slots()
  const call = (slot: number, process: Process, goFunction: string | null = null) => {
    const cell = short.cellAt(slot, process, goFunction, 0)
    const part = cell.part ?? short.begin(cell)
    part.add(10, 0, false)
  }
  const told = (window: Window) =>
    window.tell(true).map(({ by, key, count }) => [by, key.pid, key.goFunction, count].join(' '))
  return { tenSeconds, short, call, told }
}

test('what was recorded since it was last settled is in each row that it belongs to, once', () => {
  const { tenSeconds, short, call, told } = setUp()
  const [one, two] = [processOf({ pid: 1 }), processOf({ pid: 2 })]
  call(0, one)
  call(0, one)
  call(1, two)
  short.settle(rates)
  call(0, one)
  call(0, one, 'main.main')
  short.settle(rates)
  short.settle(rates)
  assert.deepEqual(told(short.window), ['workload 0  5', 'process 1  4', 'process 2  1', 'go_function 0 main.main 1'])
  assert.deepEqual(told(tenSeconds), ['workload 0  5'])
})

test('a call that comes when the cells are gone finds its rows', () => {
  const { tenSeconds, short, call, told } = setUp()
  const one = processOf({ pid: 1 })
  call(0, one)
  short.settle(rates)
  short.close()
  assert.equal(short.keys, 0)
  short.slots = new Slots()
  call(0, one)
  short.settle(rates)
  assert.deepEqual(told(short.window), ['workload 0  2', 'process 1  2'])
  assert.deepEqual(told(tenSeconds), ['workload 0  2'])
})

test('beyond its bound processes are one, workloads are not', () => {
  const { short, call, told } = setUp(1)
  call(0, processOf({ pid: 1, exe: '/bin/a' }))
  call(1, processOf({ pid: 2, exe: '/bin/a' }))
  call(2, processOf({ pid: 3, exe: '/bin/a' }))
  short.settle(rates)
  assert.deepEqual(told(short.window), ['workload 0  3', 'process 1  1', 'process 0  2'])
  assert.deepEqual([short.keys, short.beyond], [1, 2])
})
