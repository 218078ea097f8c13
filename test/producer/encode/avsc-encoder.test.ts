// Encoding of reads to batches, for any split of records into reads and batches.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventHeaderBytes } from '../../../bpf/event.ts'
import { createAvscEncoder } from '../../../producer/encode/avsc-encoder.ts'
import type { BatchEncoder, BatchLimits } from '../../../producer/encode/encoder.ts'
import { absentProc } from '../../../producer/proc.ts'
import { decode } from '../../../wire/codec.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { headerOf } from '../../support/batch-header.ts'
import { type RawEvent, rawBuffer, rawEvent, rawSummary } from '../../support/raw-events.ts'

const wide: BatchLimits = { events: 1_000, bytes: 1_000_000 }

const setUp = (limits = wide): { encoder: BatchEncoder; read: (events: readonly RawEvent[]) => number } => {
  const buffer = new Uint8Array(1 << 20)
  const encoder = createAvscEncoder({ buffer, limits, proc: absentProc, callName: () => undefined })
  const read = (events: readonly RawEvent[]): number => {
    const bytes = rawBuffer(events)
    buffer.set(bytes)
    return encoder.begin(bytes.length)
  }
  return { encoder, read }
}

const close = (encoder: BatchEncoder): EventBatch => decode('EventBatch', encoder.encode(headerOf()))

test('records of several reads are in one batch, each once', () => {
  const { encoder, read } = setUp()
  read([rawEvent({ class: 1, seq: 1n })])
  assert.equal(encoder.add(), false)
  read([rawEvent({ seq: 2n }), rawSummary({ seq: 1n })])
  assert.equal(encoder.add(), false)
  assert.equal(encoder.count, 3)
  assert.deepEqual(encoder.byClass, [0, 1, 0, 1])
  const batch = close(encoder)
  assert.deepEqual(
    batch.events.map(({ seq }) => seq),
    [1, 2]
  )
  assert.equal(batch.summaries.length, 1)
  assert.deepEqual([encoder.count, encoder.byClass], [0, [0, 0, 0, 0]])
  assert.deepEqual(close(encoder).events, [])
})

test('a batch is full by events or by bytes, and the rest of the read goes into the next one', () => {
  for (const limits of [
    { ...wide, events: 4 },
    { ...wide, bytes: 680 }
  ]) {
    const { encoder, read } = setUp(limits)
    read(Array.from({ length: 10 }, (_, i) => rawEvent({ seq: BigInt(i + 1), path: '/p' })))
    const seqs: number[][] = []
    for (let full = true; full; ) {
      full = encoder.add()
      seqs.push(close(encoder).events.map(({ seq }) => seq))
    }
    assert.deepEqual(seqs, [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10]
    ])
  }
})

test('progress counts the records of all batches', () => {
  const { encoder, read } = setUp({ ...wide, events: 2 })
  const oldestUs = read([
    rawEvent({ class: 1, cpu: 3, seq: 9n, advance: 168, timeNs: 7_000n }),
    rawEvent({ class: 3, cpu: 3, seq: 7n, advance: 176, timeNs: 6_000n }),
    rawEvent({ class: 2, cpu: 0, seq: 5n, advance: 184, timeNs: 8_000n }),
    rawSummary({ class: 3, seq: 2n, advance: 1, timeNs: 9_000n })
  ])
  assert.equal(oldestUs, 6)
  assert.equal(encoder.add(), true)
  assert.deepEqual(encoder.progress.taken, [0, 168, 176, 0])
  assert.equal(encoder.progress.newestUs, 7)
  close(encoder)
  encoder.add()
  const { events, summaries, highest, taken, newestUs } = encoder.progress
  assert.deepEqual(
    { events, summaries, taken, newestUs },
    { events: [0, 1, 1, 1], summaries: 1, taken: [0, 168, 360, 1], newestUs: 8 }
  )
  assert.deepEqual([highest[0], highest[1], highest[3], highest[1024]], [5, 0, 9, 2])
})

test('nothing of a damaged read is added', () => {
  const { encoder, read } = setUp()
  assert.throws(() => read([rawEvent(), rawEvent({ class: 9 })]), {
    code: 'DATA',
    message: new RegExp(`invalid record at byte ${eventHeaderBytes} of ${2 * eventHeaderBytes}`)
  })
  assert.equal(encoder.add(), false)
  assert.equal(encoder.count, 0)
})
