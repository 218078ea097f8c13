import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Output } from '../../../consumer/handler.ts'
import { Outbox } from '../../../consumer/loop/outbox.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { decode } from '../../../wire/codec.ts'
import { samples } from '../../support/records.ts'

const toTopic = (value: unknown): Output => ({ to: 'topic', topic: 'mine', key: 'k', value })

test('outputs are encoded, keyed, grouped by topic in order, and counted by kind', () => {
  const outbox = new Outbox('site.')
  outbox.addAll([{ to: 'audit', value: samples.AuditRecord }, toTopic(1), { to: 'audit', value: samples.AuditRecord }])
  outbox.addAll([toTopic({ two: 2 })])
  outbox.addDeadLetter({ key: 'd', value: null })
  assert.deepEqual([...outbox.messages.keys()], ['site.audit', 'mine', 'site.deadletter'])
  const [audit] = outbox.messages.get('site.audit') ?? []
  assert.equal(audit?.key, samples.AuditRecord.host)
  assert.deepEqual(decode('AuditRecord', audit?.value ?? Buffer.alloc(0)), samples.AuditRecord)
  assert.deepEqual(
    outbox.messages.get('mine')?.map(({ value }) => String(value)),
    ['1', '{"two":2}']
  )
  assert.deepEqual(Object.fromEntries(outbox.counts), { audit: 2, other: 2, deadletters: 1 })
  assert.equal(outbox.size, 5)
})

test('values for a topic of the user are sent as JSON, bytes unchanged', () => {
  const outbox = new Outbox('')
  outbox.addAll([toTopic(Buffer.from([1, 2])), toTopic(new Uint8Array([3])), toTopic('text')])
  assert.deepEqual(
    outbox.messages.get('mine')?.map(({ value }) => value),
    [Buffer.from([1, 2]), Buffer.from([3]), Buffer.from('"text"')]
  )
})

test('when one output cannot be encoded, none of the batch is added', () => {
  const outbox = new Outbox('')
  const bad: Output = { to: 'rollups', value: { ...samples.Rollup, count: Number.NaN } }
  assert.throws(() => outbox.addAll([toTopic(1), bad]), RingsideError)
  assert.throws(() => outbox.addAll([toTopic(1), toTopic(1n)]), TypeError)
  assert.equal(outbox.size, 0)
})

test('return values that are no outputs are refused with an error that says what to return', () => {
  const outbox = new Outbox('')
  const refuses = (outputs: unknown, message: RegExp) =>
    assert.throws(() => outbox.addAll(outputs as Output[]), { code: 'DATA', message })
  refuses(undefined, /the handler returned undefined: return an iterable of outputs, \[\] for none/)
  refuses([{ to: 'alert', value: {} }], /an output to "alert": set "to" to rollups, hosts, alerts, audit or topic/)
  refuses([null], /an output to undefined/)
  assert.equal(outbox.size, 0)
})
