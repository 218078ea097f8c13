import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Watermark } from '../../../producer/source/watermark.ts'

const at = (ms: number): { monotonicNs: bigint; wallNs: bigint } => ({
  monotonicNs: BigInt(ms) * 1_000_000n,
  wallNs: 1_000_000_000_000_000n + BigInt(ms) * 1_000_000n
})

test('after an empty ring both clocks are shortly before the reading', () => {
  const watermark = new Watermark()
  watermark.drained(at(5_000))
  assert.deepEqual(watermark.clock(at(9_000)), { monotonic_us: 4_990_000, wall_us: 1_000_004_990_000 })
})

test('while the rings are never empty, the clock is a second behind the first event of a read', () => {
  const watermark = new Watermark()
  watermark.follow(8_000_000)
  assert.equal(watermark.clock(at(9_000)).monotonic_us, 7_000_000)
})

test('the clock never steps back', () => {
  const watermark = new Watermark()
  watermark.drained(at(5_000))
  watermark.drained(at(4_000))
  watermark.follow(1_000_000)
  assert.equal(watermark.clock(at(5_000)).monotonic_us, 4_990_000)
})

test('at the end the clock is after the newest event', () => {
  const watermark = new Watermark()
  watermark.end(at(5_000), 6_000_000)
  assert.equal(watermark.clock(at(5_000)).monotonic_us, 6_000_001)
})
