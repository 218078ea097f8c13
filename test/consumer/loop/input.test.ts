import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HandlerModule, StatefulHandler } from '../../../consumer/handler.ts'
import { columnInput, eventInput, hostHandler, inputTopics, rollupInput } from '../../../consumer/loop/input.ts'
import { encode } from '../../../wire/codec.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { trimmed } from '../../support/columns.ts'
import { testLog } from '../../support/log.ts'
import { samples } from '../../support/records.ts'
import { batchOf, eventOf } from '../support/batches.ts'

const noHandler = { handle: () => [], checkpoint: () => ({ resumeOffset: undefined, metadata: '' }), restore: () => {} }

const bytes = encode('EventBatch', samples.EventBatch)

test('a batch is decoded to objects or to columns', () => {
  assert.deepEqual(eventInput().read(bytes), samples.EventBatch)
  assert.deepEqual(trimmed(columnInput(testLog).read(bytes)), columnsOf(samples.EventBatch))
})

test('a batch that was added before is a duplicate, as objects and as columns', () => {
  for (const input of [eventInput(), columnInput(testLog)]) {
    const first = input.read(bytes) as never
    assert.equal(input.unseenOf(first), first)
    assert.equal(input.eventsIn(first), 3)
    input.add(first)
    assert.equal(input.unseenOf(input.read(bytes) as never), undefined)
  }
})

test('an inconsistent batch, or bytes that are no batch, are refused as objects and as columns', () => {
  const wrong = encode('EventBatch', batchOf({ events: [eventOf({ process: 1 })] }))
  for (const input of [eventInput(), columnInput(testLog)]) {
    assert.throws(() => input.read(wrong), { code: 'DATA', message: /has 1 processes, but an event of process 1/ })
    assert.throws(() => input.read(Buffer.from('not avro')), { code: 'DATA', message: /cannot decode EventBatch/ })
  }
})

test('a rollup is decoded and never a duplicate', () => {
  const input = rollupInput()
  const row = input.read(encode('Rollup', samples.Rollup))
  assert.deepEqual(input.unseenOf(row), samples.Rollup)
  assert.throws(() => input.read(bytes), {
    code: 'DATA',
    message: /cannot decode Rollup: the message has the schema EventBatch/
  })
})

test('a module reads the topics that it has handlers for, and each handler gets its partition', () => {
  const asked: string[] = []
  const of = (name: string) => (partition: number) => {
    asked.push(`${name} ${partition}`)
    return noHandler as StatefulHandler<never>
  }
  const cases: [HandlerModule, string[]][] = [
    [() => [], ['events']],
    [{ create: of('create') }, ['events']],
    [{ handlers: { events: of('events') } }, ['events']],
    [{ handlers: { columns: of('columns') } }, ['events']],
    [{ handlers: { rollups: of('rollups') } }, ['rollups']],
    [{ handlers: { events: of('events'), rollups: of('rollups') } }, ['events', 'rollups']]
  ]
  for (const [i, [module, topics]] of cases.entries()) {
    assert.deepEqual(inputTopics(module), topics)
    for (const topic of inputTopics(module)) hostHandler(module, topic, i, testLog)
  }
  assert.deepEqual(asked, ['create 1', 'events 2', 'columns 3', 'rollups 4', 'events 5', 'rollups 5'])
})

test('a module without a handler, or with two for events, is refused', () => {
  assert.throws(() => inputTopics({ handlers: {} }), { code: 'DATA', message: /add one of events, columns, rollups/ })
  const handlers = { events: () => noHandler, columns: () => noHandler }
  assert.throws(() => inputTopics({ handlers }), { code: 'DATA', message: /handlers for both events and columns/ })
})
