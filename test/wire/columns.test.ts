import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallNames } from '../../wire/columns.ts'

test('a name always gets the same code, and the code gives the name', () => {
  const names = new CallNames()
  const codes = ['read', 'write', 'read', 'io_uring_connect'].map((name) => names.codeOf(name))
  assert.deepEqual(codes, [0, 1, 0, 2])
  assert.equal(names.nameOf(2), 'io_uring_connect')
  assert.equal(names.size, 3)
})

test('beyond the bound, new names share the code of other and known names keep theirs', () => {
  const names = new CallNames()
  const read = names.codeOf('read')
  for (let i = 0; i < 10_000; i++) names.codeOf(`made-up-${i}`)
  assert.ok(names.size <= 4097)
  assert.equal(names.nameOf(names.codeOf('another')), 'other')
  assert.equal(names.codeOf('read'), read)
})
