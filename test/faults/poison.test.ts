// Record batches that no client can write and a disk or a network can make, in the log of a real broker.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import type { UnreadableBatch } from '../../wire/client.ts'
import { createTopic, localKafkaMissing, uniqueName } from '../support/kafka.ts'
import { OwnKafka } from '../support/own-kafka.ts'
import { batchBytes, recordBytes, withCrc } from '../wire/support/record-batch.ts'

const three = [{ value: 'bad' }, { value: 'bad' }, { value: 'bad' }]

/** Each with its reason, and the number of its offsets. */
const poisons: readonly (readonly [reason: RegExp, count: number, make: (first: number) => Buffer])[] = [
  [/^lz4: /, 3, (first) => batchBytes(three, { first, codec: 3 })],
  [/^snappy: /, 3, (first) => batchBytes(three, { first, codec: 2 })],
  [/^gzip: /, 3, (first) => batchBytes(three, { first, codec: 1 })],
  [/^zstd: /, 3, (first) => batchBytes(three, { first, codec: 4 })],
  [/unknown compression codec 7/, 3, (first) => batchBytes(three, { first, codec: 7 })],
  [
    /zstd: decompresses to more than/,
    3,
    (first) => batchBytes(three, { first, codec: 4, compress: () => zstdCompressSync(Buffer.alloc(300 << 20)) })
  ],
  [/a record is truncated/, 3, (first) => batchBytes(recordBytes(three[0] as { value: string }), { first, count: 3 })],
  [/CRC-32C is/, 3, (first) => flipped(batchBytes(three, { first }))],
  [/at most 250000 are read/, 3, (first) => withCount(batchBytes(three, { first }), 2_000_000)]
]

const flipped = (batch: Buffer): Buffer => {
  batch[batch.length - 2] = (batch[batch.length - 2] ?? 0) ^ 0x40
  return batch
}

const withCount = (batch: Buffer, count: number): Buffer => {
  batch.writeInt32BE(count, 57)
  return withCrc(batch)
}

const tinyRecords = 100_000

describe('a topic with record batches that cannot be read', {
  skip: await localKafkaMissing(),
  timeout: 180_000
}, () => {
  let kafka: OwnKafka
  let topic: string
  let end: bigint
  const good: string[] = []

  before(async () => {
    kafka = await OwnKafka.prepare()
    await kafka.start()
    topic = await createTopic(kafka.client, 'poison')
    await kafka.stop()
    const batches: Buffer[] = []
    let next = 0
    const addGood = (): void => {
      good.push(`good ${next}`)
      batches.push(batchBytes([{ value: `good ${next}` }], { first: next }))
      next += 1
    }
    for (const [, count, make] of poisons) {
      addGood()
      batches.push(make(next))
      next += count
    }
    addGood()
    const tiny = Array.from({ length: tinyRecords }, (_, delta) => recordBytes({ value: 'x', delta }))
    batches.push(batchBytes(Buffer.concat(tiny), { first: next, count: tinyRecords }))
    next += tinyRecords
    addGood()
    end = BigInt(next)
    writeFileSync(kafka.segmentPath(topic, 0), Buffer.concat(batches))
    await kafka.start()
  })
  after(() => kafka.remove())

  const checkUnreadable = (found: readonly UnreadableBatch[]): void => {
    assert.deepEqual(
      found.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset]),
      poisons.map((_, i) => [4n * BigInt(i) + 1n, 4n * BigInt(i) + 3n])
    )
    for (const [i, [reason]] of poisons.entries()) assert.match(found[i]?.reason ?? '', reason)
  }

  test('a consumer gets each of them in its place, and every other message, in one membership', async () => {
    const values: string[] = []
    const unreadable: UnreadableBatch[] = []
    const order: bigint[] = []
    let started = 0
    const consumer = await kafka.client.consumer({
      group: uniqueName('g'),
      topics: [topic],
      from: 'earliest',
      onStart: async () => {
        started += 1
      },
      onBatch: async ({ messages }) => {
        for (const { value, offset } of messages) {
          if (value?.length !== 1) values.push(String(value))
          order.push(offset)
        }
      },
      onUnreadable: async (batch) => {
        unreadable.push(batch)
        order.push(batch.firstOffset)
      },
      onRevoked: () => {}
    })
    await Promise.race([consumer.caughtUp(), consumer.done])
    await consumer.close()
    assert.equal(started, 1)
    assert.deepEqual(values, good)
    checkUnreadable(unreadable)
    assert.equal(order.length, good.length + poisons.length + tinyRecords)
    assert.equal(order.at(-1), end - 1n)
    assert.ok(order.every((offset, i) => i === 0 || offset > (order[i - 1] ?? 0n)))
  })

  test('a read to the end reports each of them and returns every other message', async () => {
    const values: string[] = []
    const unreadable: UnreadableBatch[] = []
    await kafka.client.read({
      topic,
      sinceMs: 0,
      untilEnd: true,
      onMessage: ({ value }) => {
        if (value?.length !== 1) values.push(String(value))
        return undefined
      },
      onUnreadable: (batch) => void unreadable.push(batch)
    })
    assert.deepEqual(values, good)
    checkUnreadable(unreadable)
  })
})
