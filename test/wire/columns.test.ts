import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallNames } from '../../wire/columns.ts'

test('a name has the same code whenever it is asked for, and the code its name', () => {
  const names = new CallNames()
  const codes = ['read', 'write', 'read', 'io_uring_connect'].map((name) => names.codeOf(name))
  assert.deepEqual(codes, [0, 1, 0, 2])
  assert.equal(names.nameOf(2), 'io_uring_connect')
  assert.equal(names.size, 3)
})

test('names that a message makes up are one beyond a bound, and those known before stay', () => {
  const names = new CallNames()
  const read = names.codeOf('read')
  for (let i = 0; i < 10_000; i++) names.codeOf(`made-up-${i}`)
  assert.ok(names.size <= 4097)
  assert.equal(names.nameOf(names.codeOf('another')), 'other')
  assert.equal(names.codeOf('read'), read)
})
