import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearestNames } from '../../runtime/nearest.ts'

describe('nearest names', () => {
  it('are those with the fewest letters to change, nearest first', () => {
    assert.deepEqual(nearestNames('opne', ['close', 'open', 'openat', 'read', 'pipe']), ['open', 'openat', 'pipe'])
    assert.deepEqual(nearestNames('read', ['read', 'readv', 'write'], 1), ['read'])
    assert.deepEqual(nearestNames('x', []), [])
  })
})
