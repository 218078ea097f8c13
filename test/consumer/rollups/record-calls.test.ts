import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordCalls } from '../../../consumer/rollups/record-calls.ts'
import { type Cell, ShortestWindow } from '../../../consumer/rollups/shortest-window.ts'
import { Slots } from '../../../consumer/rollups/slots.ts'
import { Window } from '../../../consumer/rollups/window.ts'
import { callNames } from '../../../wire/columns.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { batchOf, eventOf, processOf, summaryOf } from '../support/batches.ts'

const wall_us = 5_000_000

/** What of a batch is recorded in the windows of one second, as text; of the window that ends at 4 s nothing is taken. */
const recorded = (fields: Partial<EventBatch>, byFunction = false) => {
  const batch = columnsOf(batchOf({ clock: { monotonic_us: 0, wall_us }, ...fields }))
  const windows = new Map<number, ShortestWindow>()
  const cells = new Set<Cell>()
  const refused: number[] = []
  const windowAt = (timeUs: number, calls: number) => {
    const second = Math.floor(timeUs / 1e6)
    if (second < 4) refused.push(calls)
    if (second < 4) return undefined
    let window = windows.get(second)
    if (window === undefined) {
      window = new ShortestWindow(new Window(second * 1e6, 1e6, 100), [], [], 100)
      window.slots = new Slots()
      const begin = window.begin.bind(window)
      window.begin = (cell) => {
        cells.add(cell)
        return begin(cell)
      }
      windows.set(second, window)
    }
    return window
  }
  recordCalls(batch, windowAt, byFunction)
  const texts = [...cells].map(({ key, part }) => {
    const { pid, goFunction, code } = key
    const { count, errors, bytes, totalNs } = part ?? assert.fail()
    return [pid, goFunction, callNames.nameOf(code), count, errors, bytes, totalNs].join(' ')
  })
  return {
    cells: texts,
    refused,
    calls: [...windows].map(([second, { events, counted }]) => [second, events, counted])
  }
}

test('only calls are taken, each in the window of the microsecond in which it returned', () => {
  const events = [
    eventOf({ kind: 'exec', syscall: 'none' }),
    eventOf({ time_offset_ns: -1, duration_ns: 5, ret: 10 }),
    eventOf({ time_offset_ns: 1999, ret: -11 }),
    eventOf({ time_offset_ns: -1_000_000_000, ret: 1 }),
    eventOf({ time_offset_ns: -1_000_000_001 }),
    eventOf({ time_offset_ns: -2, kind: 'io_uring', syscall: 'read', call: 'io_uring_read', ret: 3 })
  ]
  assert.deepEqual(recorded({ events }), {
    cells: ['100  read 2 0 11 1005', '100  read 1 1 0 1000', '100  io_uring_read 1 0 0 1000'],
    refused: [1],
    calls: [
      [4, 3, 0],
      [5, 1, 0]
    ]
  })
})

test('a summary is of the window that holds the middle of its time, one of a long time of the second it ended in', () => {
  const summaries = [
    summaryOf({ time_offset_ns: 20_000_000 }),
    summaryOf({ time_offset_ns: -100_000, duration_ns: 60e9 }),
    summaryOf({ time_offset_ns: -600_000_000 })
  ]
  const { cells, refused, calls } = recorded({ summaries })
  assert.deepEqual(cells, ['100  read 8 2 24576 18000'])
  assert.deepEqual([refused, calls], [[4], [[4, 0, 8]]])
})

test('calls of Go functions are apart when that is asked for', () => {
  const stacks = ['main.a', 'main.b', null, 'main.a'].map((go_function) => ({ go_function, go_file: null, go_line: 0 }))
  const processes = [processOf(), processOf({ pid: 200 })]
  const events = [-1, 0, 1, 2, 3, 3].map((stack, i) => eventOf({ stack, process: i === 5 ? 1 : 0 }))
  assert.deepEqual(recorded({ stacks, processes, events }, true).cells, [
    '100  read 2 0 0 2000',
    '100 main.a read 2 0 0 2000',
    '100 main.b read 1 0 0 1000',
    '200 main.a read 1 0 0 1000'
  ])
  assert.deepEqual(recorded({ stacks, processes, events }).cells, ['100  read 5 0 0 5000', '200  read 1 0 0 1000'])
})
