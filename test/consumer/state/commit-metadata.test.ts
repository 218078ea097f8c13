import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatMetadata, ownBytes, parseMetadata } from '../../../consumer/state/commit-metadata.ts'

test('the metadata of a commit has the offset and whatever the handler wrote', () => {
  for (const handler of ['', '{"last":6,"größe":1}', '12 34', 'a\nb']) {
    assert.deepEqual(parseMetadata(formatMetadata({ next: 97n, handler })), { next: 97n, handler })
  }
})

test('metadata that the loop has not written is none', () => {
  for (const text of ['', '97', '{"last":"6"}', 'x 5', '-1 x']) assert.equal(parseMetadata(text), undefined)
})

test('the highest offset leaves the handler its room', () => {
  assert.equal(formatMetadata({ next: 2n ** 63n - 1n, handler: '' }).length, ownBytes)
})
