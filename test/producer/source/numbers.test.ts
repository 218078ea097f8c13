import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clampLong, microsecondsAt, nanosecondsBeyond } from '../../../producer/source/numbers.ts'
import { RawEvents } from '../../../producer/source/raw-events.ts'

test('nanoseconds divide into microseconds and a remainder without losing a digit', () => {
  for (const ns of [0n, 999n, 1_000n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 62n + 12_345n]) {
    const raw = new RawEvents(new Uint8Array(new BigUint64Array([ns]).buffer))
    assert.equal(microsecondsAt(raw, 0), Number(ns / 1000n))
    assert.equal(nanosecondsBeyond(raw, 0), Number(ns % 1000n))
  }
})

test('a number that avsc cannot write as a long becomes the nearest that it can', () => {
  assert.deepEqual([2 ** 60, -(2 ** 60), 42, -42].map(clampLong), [2 ** 53 - 2, -(2 ** 52), 42, -42])
})
