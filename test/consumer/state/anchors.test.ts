import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anchors } from '../../../consumer/state/anchors.ts'

const anchorsOf = (...clocksUs: number[]): Anchors => {
  const anchors = new Anchors(10)
  for (const [offset, clockUs] of clocksUs.entries()) anchors.add(clockUs, BigInt(offset))
  return anchors
}

test('without batches there is no resume offset', () => {
  assert.equal(anchorsOf().resumeOffset, undefined)
})

test('before anything expires, a restart resumes at the first batch', () => {
  assert.equal(anchorsOf(1, 2, 3, 15, 27, 40).resumeOffset, 0n)
})

test('a restart resumes at the last batch at or before the expired time, to within a slot', () => {
  const anchors = anchorsOf(1, 12, 15, 27, 40)
  anchors.expireBefore(26)
  assert.equal(anchors.resumeOffset, 2n)
  anchors.expireBefore(27)
  assert.equal(anchors.resumeOffset, 3n)
  anchors.expireBefore(1000)
  assert.equal(anchors.resumeOffset, 4n)
})

test('after a clock stepped back, batches before the step stay until both times have expired', () => {
  const anchors = anchorsOf(95, 105, 98, 118)
  anchors.expireBefore(100)
  assert.equal(anchors.resumeOffset, 0n)
  anchors.expireBefore(105)
  assert.equal(anchors.resumeOffset, 2n)
})
