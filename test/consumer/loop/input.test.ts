import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HandlerModule, StatefulHandler } from '../../../consumer/handler.ts'
import { columnInput, eventInput, hostHandler, inputTopics, rollupInput } from '../../../consumer/loop/input.ts'
import { encode } from '../../../wire/codec.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { trimmed } from '../../support/columns.ts'
import { testLog } from '../../support/kafka.ts'
import { samples } from '../../support/records.ts'
import { batchOf, eventOf } from '../support/batches.ts'

const noHandler = { handle: () => [], checkpoint: () => ({ resumeOffset: undefined, metadata: '' }), restore: () => {} }

const bytes = encode('EventBatch', samples.EventBatch)

test('a batch is read as it was written, or as columns', () => {
  assert.deepEqual(eventInput().read(bytes), samples.EventBatch)
  assert.deepEqual(trimmed(columnInput(testLog).read(bytes)), columnsOf(samples.EventBatch))
})

test('a batch that came before says nothing new, in either form', () => {
  for (const input of [eventInput(), columnInput(testLog)]) {
    const first = input.read(bytes) as never
    assert.equal(input.unseenOf(first), first)
    assert.equal(input.eventsIn(first), 3)
    input.add(first)
    assert.equal(input.unseenOf(input.read(bytes) as never), undefined)
  }
})

test('a batch that contradicts itself, or is none, is refused in either form', () => {
  const wrong = encode('EventBatch', batchOf({ events: [eventOf({ process: 1 })] }))
  for (const input of [eventInput(), columnInput(testLog)]) {
    assert.throws(() => input.read(wrong), { code: 'DATA', message: /has 1 processes, but an event of process 1/ })
    assert.throws(() => input.read(Buffer.from('not avro')), { code: 'DATA', message: /not a EventBatch/ })
  }
})

test('a row of the topic rollups is read as it is', () => {
  const input = rollupInput()
  const row = input.read(encode('Rollup', samples.Rollup))
  assert.deepEqual(input.unseenOf(row), samples.Rollup)
  assert.throws(() => input.read(bytes), { code: 'DATA', message: /expected a Rollup/ })
})

test('a module is read by what it has: each handler gets its own topic and partition', () => {
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

test('a module that handles nothing, or events twice, is refused', () => {
  assert.throws(() => inputTopics({ handlers: {} }), { code: 'DATA', message: /none of events, columns, rollups/ })
  const handlers = { events: () => noHandler, columns: () => noHandler }
  assert.throws(() => inputTopics({ handlers }), { code: 'DATA', message: /both events and columns/ })
})
