import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBatch } from '../../consumer/check-batch.ts'
import { batchOf, eventOf, summaryOf } from './support/batches.ts'

test('a batch whose events and summaries are of its processes passes, also one without any', () => {
  checkBatch(batchOf({ events: [eventOf({ process: 0 })], summaries: [summaryOf({ process: 0 })] }))
  checkBatch(batchOf({ processes: [] }))
})

test('an event of a process that the batch does not hold is refused, by the name of the batch', () => {
  for (const process of [-1, 1]) {
    assert.throws(() => checkBatch(batchOf({ batch: 7, events: [eventOf(), eventOf({ process })] })), {
      code: 'DATA',
      message: `batch 7 of host-a (run run-1) has 1 processes, but an event of process ${process}`
    })
  }
})

test('so is a summary', () => {
  assert.throws(() => checkBatch(batchOf({ events: [eventOf()], summaries: [summaryOf({ process: 1 })] })), {
    code: 'DATA',
    message: 'batch 1 of host-a (run run-1) has 1 processes, but a summary of process 1'
  })
})
