import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesMoved } from '../../wire/bytes-moved.ts'

test('the result of a read, write or send is bytes; the result of a failed or any other call is not', () => {
  assert.equal(bytesMoved('write', 0), 0)
  assert.equal(bytesMoved('sendmsg', 10), 10)
  assert.equal(bytesMoved('pread64', 10), 10)
  assert.equal(bytesMoved('read', -9), null)
  assert.equal(bytesMoved('openat', 3), null)
  assert.equal(bytesMoved('sendmmsg', 3), null)
})
