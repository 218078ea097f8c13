import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBatch, checkColumns } from '../../../consumer/loop/check-batch.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { batchOf, eventOf, summaryOf } from '../support/batches.ts'

/** The same must hold true of columns. */
const check = (batch: EventBatch): void => {
  try {
    checkColumns(columnsOf(batch))
  } catch (refused) {
    assert.throws(() => checkBatch(batch), refused as Error)
    throw refused
  }
  checkBatch(batch)
}

test('a batch whose events and summaries are of its processes passes, also one without any', () => {
  check(batchOf({ events: [eventOf({ process: 0 })], summaries: [summaryOf({ process: 0 })] }))
  check(batchOf({ processes: [] }))
})

test('an event of a process that the batch does not hold is refused, by the name of the batch', () => {
  for (const process of [-1, 1]) {
    assert.throws(() => check(batchOf({ batch: 7, events: [eventOf(), eventOf({ process })] })), {
      code: 'DATA',
      message: `batch 7 of host-a (run run-1) has 1 processes, but an event of process ${process}`
    })
  }
})

test('so is a summary', () => {
  assert.throws(() => check(batchOf({ events: [eventOf()], summaries: [summaryOf({ process: 1 })] })), {
    code: 'DATA',
    message: 'batch 1 of host-a (run run-1) has 1 processes, but a summary of process 1'
  })
})

test('so is an event of a CPU that no kernel has', () => {
  check(batchOf({ events: [eventOf({ cpu: 8191 })] }))
  for (const cpu of [-1, 8192]) {
    assert.throws(() => check(batchOf({ events: [eventOf({ cpu })] })), {
      code: 'DATA',
      message: `batch 1 of host-a (run run-1) has an event of CPU ${cpu}, where a kernel has at most 8192`
    })
  }
})

test('so is an event that was made from a place that the batch does not hold', () => {
  const stacks = [{ go_function: 'main.main', go_file: 'main.go', go_line: 7 }]
  check(batchOf({ stacks, events: [eventOf({ stack: -1 }), eventOf({ stack: 0 })] }))
  for (const stack of [-2, 1]) {
    assert.throws(() => check(batchOf({ stacks, events: [eventOf({ stack })] })), {
      code: 'DATA',
      message: `batch 1 of host-a (run run-1) has 1 stacks, but an event of stack ${stack}`
    })
  }
})
