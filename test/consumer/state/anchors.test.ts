import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anchors } from '../../../consumer/state/anchors.ts'

const anchorsOf = (...clocksUs: number[]): Anchors => {
  const anchors = new Anchors(10)
  for (const [offset, clockUs] of clocksUs.entries()) anchors.add(clockUs, BigInt(offset))
  return anchors
}

test('without batches nothing is held', () => {
  assert.equal(anchorsOf().holdOffset, undefined)
})

test('all batches are held until a moment is forgotten', () => {
  assert.equal(anchorsOf(1, 2, 3, 15, 27, 40).holdOffset, 0n)
})

test('the last batch at or before the moment is the first to be held, to within a slot', () => {
  const anchors = anchorsOf(1, 12, 15, 27, 40)
  anchors.expireBefore(26)
  assert.equal(anchors.holdOffset, 2n)
  anchors.expireBefore(27)
  assert.equal(anchors.holdOffset, 3n)
  anchors.expireBefore(1000)
  assert.equal(anchors.holdOffset, 4n)
})

test('a clock that was stepped back holds what came before the step until both are over', () => {
  const anchors = anchorsOf(95, 105, 98, 118)
  anchors.expireBefore(100)
  assert.equal(anchors.holdOffset, 0n)
  anchors.expireBefore(105)
  assert.equal(anchors.holdOffset, 2n)
})
