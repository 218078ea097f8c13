import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasBearer, isSameSecret } from '../../runtime/token.ts'

test('only equal texts are the same secret', () => {
  assert.equal(isSameSecret('a-token', 'a-token'), true)
  for (const other of ['', 'a-toke', 'a-token ', 'A-token']) assert.equal(isSameSecret(other, 'a-token'), false, other)
})

test('a request needs the whole token, and without a configured token every request passes', () => {
  assert.equal(hasBearer('Bearer a-token', 'a-token'), true)
  for (const header of [undefined, '', 'a-token', 'Basic a-token', 'Bearer a-toke']) {
    assert.equal(hasBearer(header, 'a-token'), false, header)
  }
  assert.equal(hasBearer(undefined, undefined), true)
})
