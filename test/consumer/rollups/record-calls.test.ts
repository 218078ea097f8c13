import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchCache } from '../../../consumer/rollups/batch-cache.ts'
import { recordCalls } from '../../../consumer/rollups/record-calls.ts'
import { type Cell, ShortestWindow } from '../../../consumer/rollups/shortest-window.ts'
import { Window } from '../../../consumer/rollups/window.ts'
import { callNames } from '../../../wire/columns.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { batchOf, eventOf, processOf, summaryOf } from '../support/batches.ts'

const wall_us = 5_000_000

/** The cells that a batch fills in windows of 1 s, as text. Calls before 4 s are rejected. */
const recorded = (fields: Partial<EventBatch>, byFunction = false) => {
  const batch = columnsOf(batchOf({ clock: { monotonic_us: 0, wall_us }, ...fields }))
  const windows = new Map<number, ShortestWindow>()
  const cells = new Set<Cell>()
  const rejected: number[] = []
  const windowAt = (timeUs: number, calls: number) => {
    const second = Math.floor(timeUs / 1e6)
    if (second < 4) rejected.push(calls)
    if (second < 4) return undefined
    let window = windows.get(second)
    if (window === undefined) {
      window = new ShortestWindow(new Window(second * 1e6, 1e6, 100), [], [], 100)
      window.cache = new BatchCache()
      const createPart = window.createPart.bind(window)
      window.createPart = (cell) => {
        cells.add(cell)
        return createPart(cell)
      }
      windows.set(second, window)
    }
    return window
  }
  recordCalls(batch, windowAt, byFunction)
  const texts = [...cells].map(({ key, part }) => {
    const { pid, goFunction, code } = key
    const { count, failed, expected, bytes, totalNs } = part ?? assert.fail()
    return [pid, goFunction, callNames.nameOf(code), count, failed, expected, bytes, totalNs].join(' ')
  })
  return {
    cells: texts,
    rejected,
    calls: [...windows].map(([second, { emitted, counted }]) => [second, emitted, counted])
  }
}

test('a call is recorded in the window in which it returned, other events are not recorded', () => {
  const events = [
    eventOf({ kind: 'exec', syscall: 'none' }),
    eventOf({ time_offset_ns: -1, duration_ns: 5, ret: 10 }),
    eventOf({ time_offset_ns: 1999, ret: -11 }),
    eventOf({ time_offset_ns: -1_000_000_000, ret: 1 }),
    eventOf({ time_offset_ns: -1_000_000_001 }),
    eventOf({ time_offset_ns: -2, kind: 'io_uring', syscall: 'read', call: 'io_uring_read', ret: 3 })
  ]
  assert.deepEqual(recorded({ events }), {
    cells: ['100  read 2 0 0 11 1005', '100  read 1 0 1 0 1000', '100  io_uring_read 1 0 0 0 1000'],
    rejected: [1],
    calls: [
      [4, 3, 0],
      [5, 1, 0]
    ]
  })
})

test('a summary is recorded in the window with the middle of its time, a long one in the second in which it ended', () => {
  const summaries = [
    summaryOf({ time_offset_ns: 20_000_000 }),
    summaryOf({ time_offset_ns: -100_000, duration_ns: 60e9 }),
    summaryOf({ time_offset_ns: -600_000_000 })
  ]
  const { cells, rejected, calls } = recorded({ summaries })
  assert.deepEqual(cells, ['100  read 8 0 2 24576 18000'])
  assert.deepEqual([rejected, calls], [[4], [[4, 0, 8]]])
})

test('a connect that fails after its call returned is one call with one failure', () => {
  const call = eventOf({ syscall: 'connect', ret: -115 })
  const outcome = (ret: number) => eventOf({ kind: 'connect_outcome', syscall: 'none', ret, duration_ns: 7 })
  const found = recorded({ events: [call, call, call, outcome(0), outcome(-111), outcome(-125)] })
  assert.deepEqual(found.cells, ['100  connect 3 1 3 0 3000'])
  assert.deepEqual(found.calls, [[4, 3, 0]])
  assert.deepEqual(recorded({ events: [outcome(0)] }).cells, [])
})

test('a request that fails is one call with one failure, and further messages add their bytes to their call', () => {
  const request = { syscall: 'connect', call: 'io_uring_connect' }
  const call = { syscall: 'sendmmsg', duration_ns: 5 }
  const { cells } = recorded({
    events: [
      eventOf({ ...request, kind: 'io_uring', duration_ns: 0 }),
      eventOf({ ...request, kind: 'io_uring_outcome', ret: -111 }),
      eventOf({ ...call, ret: 3, messages: 1, bytes: 100 }),
      eventOf({ ...call, kind: 'messages', messages: 2, bytes: 40 })
    ]
  })
  assert.deepEqual(cells, ['100  io_uring_connect 1 1 0 0 0', '100  sendmmsg 1 0 0 140 5'])
})

test('the failed outcome of a connect that no window accepts is no rejected call', () => {
  const outcome = eventOf({ kind: 'connect_outcome', syscall: 'none', ret: -111, time_offset_ns: -2_000_000_000 })
  assert.deepEqual(recorded({ events: [outcome] }).rejected, [0])
})

test('calls of Go functions have cells of their own when rows by function are configured', () => {
  const stacks = ['main.a', 'main.b', null, 'main.a'].map((go_function) => ({ go_function, go_file: null, go_line: 0 }))
  const processes = [processOf(), processOf({ pid: 200 })]
  const events = [-1, 0, 1, 2, 3, 3].map((stack, i) => eventOf({ stack, process: i === 5 ? 1 : 0 }))
  assert.deepEqual(recorded({ stacks, processes, events }, true).cells, [
    '100  read 2 0 0 0 2000',
    '100 main.a read 2 0 0 0 2000',
    '100 main.b read 1 0 0 0 1000',
    '200 main.a read 1 0 0 0 1000'
  ])
  assert.deepEqual(recorded({ stacks, processes, events }).cells, ['100  read 5 0 0 0 5000', '200  read 1 0 0 0 1000'])
})
