import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBatch, checkColumns } from '../../../consumer/loop/check-batch.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { batchOf, eventOf, summaryOf } from '../support/batches.ts'

/** Checks a batch both as objects and as columns. */
const check = (batch: EventBatch): void => {
  try {
    checkColumns(columnsOf(batch))
  } catch (refused) {
    assert.throws(() => checkBatch(batch), refused as Error)
    throw refused
  }
  checkBatch(batch)
}

test('a batch passes when its events and summaries refer to its processes, or when it has none', () => {
  check(batchOf({ events: [eventOf({ process: 0 })], summaries: [summaryOf({ process: 0 })] }))
  check(batchOf({ processes: [] }))
})

test('an event of a missing process is refused, with the name of the batch', () => {
  for (const process of [-1, 1]) {
    assert.throws(() => check(batchOf({ batch: 7, events: [eventOf(), eventOf({ process })] })), {
      code: 'DATA',
      message: `batch 7 of host-a (run run-1) has 1 processes, but an event of process ${process}`
    })
  }
})

test('a summary of a missing process is refused', () => {
  assert.throws(() => check(batchOf({ events: [eventOf()], summaries: [summaryOf({ process: 1 })] })), {
    code: 'DATA',
    message: 'batch 1 of host-a (run run-1) has 1 processes, but a summary of process 1'
  })
})

test('an event of a CPU that no kernel has is refused', () => {
  check(batchOf({ events: [eventOf({ cpu: 8191 })] }))
  for (const cpu of [-1, 8192]) {
    assert.throws(() => check(batchOf({ events: [eventOf({ cpu })] })), {
      code: 'DATA',
      message: `batch 1 of host-a (run run-1) has an event of CPU ${cpu}, but a kernel has at most 8192`
    })
  }
})

test('an event of a missing stack is refused', () => {
  const stacks = [{ go_function: 'main.main', go_file: 'main.go', go_line: 7 }]
  check(batchOf({ stacks, events: [eventOf({ stack: -1 }), eventOf({ stack: 0 })] }))
  for (const stack of [-2, 1]) {
    assert.throws(() => check(batchOf({ stacks, events: [eventOf({ stack })] })), {
      code: 'DATA',
      message: `batch 1 of host-a (run run-1) has 1 stacks, but an event of stack ${stack}`
    })
  }
})
