import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { LagWatch, type Progress } from '../../../consumer/loop/lag-watch.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import type { PartitionPosition } from '../../../wire/client.ts'
import { testLog } from '../../support/log.ts'

describe('the lag of a consumer', () => {
  let nowMs: number
  let positions: PartitionPosition[] | Error
  let progress: Progress | undefined
  let watch: LagWatch

  beforeEach(() => {
    nowMs = 1_000_000
    positions = []
    progress = undefined
    watch = new LagWatch({
      consumer: { positions: async () => (Array.isArray(positions) ? positions : Promise.reject(positions)) },
      progressOf: () => progress,
      now: () => nowMs,
      log: testLog
    })
  })

  const at = (position: bigint | undefined, endOffset: bigint): PartitionPosition[] => [
    { topic: 't', partition: 0, position, endOffset }
  ]
  const after = async (seconds: number, next: PartitionPosition[] | Error): Promise<void> => {
    nowMs += 1000 * seconds
    positions = next
    await watch.measure()
  }
  const lag = () => {
    const { records, seconds, stalledSeconds } = watch.lags()[0] ?? {}
    return [records, seconds, stalledSeconds]
  }

  test('grows at the broker while the consumer fetches nothing, and so does the time without progress', async () => {
    await after(0, at(5n, 5n))
    assert.deepEqual(lag(), [0, 0, 0])
    await after(5, at(5n, 7n))
    assert.deepEqual(lag(), [2, 0, 0])
    await after(60, at(5n, 100n))
    assert.deepEqual(lag(), [95, 60, 60])
    await after(5, at(100n, 101n))
    assert.deepEqual(lag(), [1, 0, 0])
  })

  test('follows the loop within a batch that was fetched', async () => {
    await after(0, at(0n, 10n))
    progress = { next: 4n, handledMs: nowMs - 90_000 }
    nowMs += 30_000
    assert.deepEqual(lag(), [6, 120, 0])
    nowMs += 70_000
    assert.deepEqual(lag(), [6, 190, 70])
    progress = { next: 10n, handledMs: nowMs }
    assert.deepEqual(lag(), [0, 0, 0])
  })

  test('does not go back when the partition is revoked', async () => {
    await after(0, at(0n, 10n))
    progress = { next: 10n, handledMs: nowMs }
    watch.update()
    progress = undefined
    assert.deepEqual(lag(), [0, 0, 0])
  })

  test('an idle partition is not stalled, and neither is one whose first message has just come', async () => {
    await after(0, at(5n, 5n))
    await after(3600, at(5n, 5n))
    assert.deepEqual(lag(), [0, 0, 0])
    await after(5, at(5n, 6n))
    assert.deepEqual(lag(), [1, 0, 0])
  })

  test('markers behind the last message are no lag once the consumer has read them', async () => {
    await after(0, at(4n, 6n))
    progress = { next: 5n, handledMs: nowMs }
    await after(5, at(6n, 6n))
    assert.deepEqual(lag(), [0, 0, 0])
  })

  test('a replay from an earlier offset is progress', async () => {
    await after(0, at(90n, 100n))
    progress = { next: 10n, handledMs: undefined }
    await after(50, at(10n, 100n))
    assert.deepEqual(lag(), [90, 0, 0])
  })

  test('a partition that is assigned and never starts is stalled', async () => {
    await after(0, at(undefined, 10n))
    nowMs += 75_000
    assert.deepEqual(lag(), [0, 0, 75])
  })

  test('a failure to measure says why and since when, and keeps the last lag', async () => {
    await after(0, at(5n, 9n))
    await after(5, new RingsideError('UNAVAILABLE', 'Kafka does not answer'))
    await after(30, new RingsideError('UNAVAILABLE', 'Kafka does not answer'))
    assert.deepEqual(watch.failure, { seconds: 30, message: 'Kafka does not answer' })
    assert.deepEqual(lag(), [4, 35, 35])
    await after(5, at(9n, 9n))
    assert.equal(watch.failure, undefined)
  })

  test('revoked partitions disappear', async () => {
    await after(0, at(5n, 9n))
    await after(5, [])
    assert.deepEqual(watch.lags(), [])
  })
})
