import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SavedRoom } from '../../../consumer/state/saved-room.ts'

test('values fit as JSON with their separators, a smaller one after one that did not fit', () => {
  const room = new SavedRoom()
  const text = 'é'.repeat(1000)
  const saved = [text, text, 'a'].filter((value) => room.reserve(value))
  assert.deepEqual(saved, [text, 'a'])
  assert.equal(room.reserve('a'.repeat(1870)), true)
  assert.equal(room.reserve('a'), false)
})
