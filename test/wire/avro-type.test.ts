import assert from 'node:assert/strict'
import { test } from 'node:test'
import { avroType, canonicalForm } from '../../wire/avro-type.ts'

const point = {
  type: 'record',
  name: 'Point',
  namespace: 'test',
  doc: 'Not part of the canonical form.',
  fields: [
    { name: 'x', type: 'int', default: 0 },
    { name: 'tags', type: { type: 'array', items: 'string' } }
  ]
}

test('records decode to plain objects', () => {
  const type = avroType(point)
  assert.deepStrictEqual(type.fromBuffer(type.toBuffer({ x: 1, tags: ['a', 'b'] })), { x: 1, tags: ['a', 'b'] })
})

test('an array in several blocks, with and without block sizes, decodes to one array', () => {
  const type = avroType({ type: 'array', items: 'int' })
  // A block of 2 items, then one of 1 item with its size in bytes, then the end.
  assert.deepEqual(type.fromBuffer(Buffer.from([4, 2, 4, 1, 2, 6, 0])), [1, 2, 3])
})

test('an array that is declared longer than the buffer is an error', () => {
  const type = avroType({ type: 'array', items: 'int' })
  assert.throws(() => type.fromBuffer(Buffer.from('feffffffffffff1f', 'hex')), /truncated/)
})

test('an array of an older version decodes through a resolver', () => {
  const older = avroType({ ...point, fields: [point.fields[1]] })
  const type = avroType(point)
  assert.deepStrictEqual(type.fromBuffer(older.toBuffer({ tags: ['a'] }), type.createResolver(older)), {
    x: 0,
    tags: ['a']
  })
})

test('the canonical form has full names and no attribute that does not affect decoding', () => {
  assert.equal(
    canonicalForm(avroType(point)),
    '{"name":"test.Point","type":"record","fields":[{"name":"x","type":"int"},{"name":"tags","type":{"type":"array","items":"string"}}]}'
  )
})
