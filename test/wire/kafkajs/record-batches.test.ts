import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { compressFrameSync } from 'lz4-napi'
import {
  type FetchedRecord,
  fetchBudget,
  maxBatchBytes,
  maxBatchRecords,
  readRecordBatches
} from '../../../wire/kafkajs/record-batches.ts'
import { batchBytes, recordBytes, varint, withCrc } from '../support/record-batch.ts'

const read = (set: Buffer, from = 0n, end = 1_000_000n, budget = fetchBudget()): FetchedRecord[] =>
  readRecordBatches(set, { from, end, budget })

const valuesOf = (records: readonly FetchedRecord[]): string[] =>
  records.map(({ value, unreadable }) => unreadable?.reason ?? String(value))

const good = (first: number, ...values: string[]): Buffer =>
  batchBytes(
    values.map((value) => ({ value })),
    { first }
  )

const tiny = (count: number): Buffer => {
  const records: Buffer[] = []
  for (let delta = 0; delta < count; delta++) records.push(recordBytes({ value: 'x', delta }))
  return Buffer.concat(records)
}

/** The one unreadable batch between two good ones. */
const between = (bad: Buffer) => {
  const found = read(Buffer.concat([good(0, 'a'), bad, good(100, 'z')]))
  assert.deepEqual([found[0]?.value?.toString(), found.at(-1)?.value?.toString()], ['a', 'z'])
  assert.equal(found.length, 3)
  const { unreadable, offset } = found[1] as FetchedRecord
  assert.ok(unreadable)
  assert.equal(offset, String(unreadable.lastOffset))
  return unreadable
}

describe('record batches', () => {
  test('key, value, headers, offset and timestamp are read, the last of headers with one name', () => {
    const headers = [
      ['a', '1'],
      ['a', '2'],
      ['__proto__', 'x']
    ] as const
    const [record, second] = read(batchBytes([{ key: 'k', value: 'v', headers }, { value: '' }], { first: 7 }))
    assert.equal(String(record?.key), 'k')
    assert.equal(String(record?.value), 'v')
    assert.deepEqual(
      Object.entries(record?.headers ?? {}).map(([name, text]) => [name, String(text)]),
      [
        ['a', '2'],
        ['__proto__', 'x']
      ]
    )
    assert.deepEqual([record?.offset, record?.timestamp], ['7', '1700000000000'])
    assert.deepEqual([second?.offset, second?.key, String(second?.value)], ['8', null, ''])
  })

  test('with append time each record has the time of the batch', () => {
    const [record] = read(batchBytes([{ value: 'v' }], { attributes: 0x08 }))
    assert.equal(record?.timestamp, '1700000000500')
  })

  test('a batch of 100,000 records of one byte is read', () => {
    const found = read(batchBytes(tiny(100_000), { count: 100_000, codec: 4, compress: (b) => zstdCompressSync(b) }))
    assert.equal(found.length, 100_000)
    assert.equal(found.at(-1)?.offset, '99999')
    assert.ok(found.every(({ value }) => value?.length === 1))
  })

  test('a record of 100,000 headers is read', () => {
    const headers = Array.from({ length: 100_000 }, (_, i) => [`h${i}`, ''] as const)
    const [record] = read(batchBytes([{ value: 'v', headers }]))
    assert.equal(Object.keys(record?.headers ?? {}).length, 100_000)
  })

  test('the last batch may be cut, and is left to the next fetch', () => {
    const set = Buffer.concat([good(0, 'a'), good(1, 'b')])
    for (const cut of [1, 30, good(1, 'b').length - 1]) {
      assert.deepEqual(valuesOf(read(set.subarray(0, set.length - cut))), ['a'])
    }
  })

  test('the position moves behind records that compaction has removed', () => {
    const found = read(batchBytes([{ value: 'kept', delta: 2 }], { first: 10, lastDelta: 9 }))
    assert.deepEqual(
      found.map(({ offset, isControlRecord }) => [offset, isControlRecord]),
      [
        ['12', false],
        ['19', true]
      ]
    )
    assert.deepEqual(
      read(batchBytes([], { first: 10, lastDelta: 9 })).map(({ offset, isControlRecord }) => [offset, isControlRecord]),
      [['19', true]]
    )
  })

  describe('a batch that cannot be read is reported with its offsets, and the others are read:', () => {
    const threeRecords = [{ value: 'v1' }, { value: 'v2' }, { value: 'v3' }]

    test('an unknown codec', () => {
      const { firstOffset, lastOffset, reason } = between(batchBytes(threeRecords, { first: 1, codec: 7 }))
      assert.deepEqual([firstOffset, lastOffset], [1n, 3n])
      assert.match(reason, /unknown compression codec 7/)
    })

    test('corrupt lz4', () => {
      const compress = (bytes: Buffer): Buffer => {
        const frame = compressFrameSync(bytes)
        return Buffer.concat([frame.subarray(0, 12), Buffer.alloc(frame.length - 12, 0x5a)])
      }
      const { lastOffset, reason } = between(batchBytes(threeRecords, { first: 1, codec: 3, compress }))
      assert.equal(lastOffset, 3n)
      assert.match(reason, /^lz4: /)
    })

    test('a zstd bomb', () => {
      const compress = (): Buffer => zstdCompressSync(Buffer.alloc(4 * maxBatchBytes))
      const bomb = batchBytes(threeRecords, { first: 1, codec: 4, compress })
      assert.ok(bomb.length < 100_000)
      assert.match(between(bomb).reason, /zstd: decompresses to more than 33554432 bytes/)
    })

    test('more records than the bound', () => {
      const { reason } = between(batchBytes(threeRecords, { first: 1, count: maxBatchRecords + 1, lastDelta: 2 }))
      assert.match(reason, /250001 records: at most 250000 are read/)
    })

    test('more headers than the bound', () => {
      const headers = Buffer.concat(Array.from({ length: maxBatchRecords / 2 + 1 }, () => Buffer.from([2, 97, 0])))
      const body = [Buffer.from([0]), varint(0), varint(0), varint(-1), varint(-1), varint(maxBatchRecords / 2 + 1)]
      const second = [Buffer.from([0]), varint(0), varint(1), varint(-1), varint(-1), varint(maxBatchRecords / 2 + 1)]
      const recordOf = (fields: Buffer[]): Buffer => {
        const bytes = Buffer.concat([...fields, headers])
        return Buffer.concat([varint(bytes.length), bytes])
      }
      const { reason } = between(batchBytes(Buffer.concat([recordOf(body), recordOf(second)]), { first: 1, count: 2 }))
      assert.match(reason, /250002 headers: at most 250000 are read/)
    })

    test('a wrong CRC, with the batch as it is', () => {
      const broken = batchBytes(threeRecords, { first: 1 })
      broken[65] = (broken[65] ?? 0) ^ 1
      const { firstOffset, lastOffset, reason, bytes } = between(broken)
      assert.deepEqual([firstOffset, lastOffset], [1n, 3n])
      assert.match(reason, /CRC-32C is [0-9a-f]+ instead of [0-9a-f]+/)
      assert.ok(bytes.equals(broken))
    })

    test('a wrong CRC of a header that claims other offsets than its own', () => {
      const broken = batchBytes(threeRecords, { first: 1 })
      for (const claim of [-5, 1_000_000]) {
        broken.writeInt32BE(claim, 23)
        assert.deepEqual(between(broken).lastOffset, claim < 0 ? 1n : 99n)
      }
    })

    test('a record that is longer than its batch', () => {
      const whole = Buffer.concat(threeRecords.map(recordBytes))
      const cut = whole.subarray(0, whole.length - 4)
      assert.match(between(batchBytes(cut, { first: 1, count: 3 })).reason, /a record is truncated/)
    })

    test('fewer or more records than the header says', () => {
      const whole = Buffer.concat(threeRecords.map(recordBytes))
      assert.match(between(batchBytes(whole, { first: 1, count: 4 })).reason, /truncated/)
      assert.match(between(batchBytes(whole, { first: 1, count: 2 })).reason, /more than its 2 records|offset delta/)
    })

    test('offsets that go back or beyond the batch', () => {
      for (const delta of [0, -1, 50, 2 ** 31]) {
        const records = [{ value: 'v1' }, { value: 'v2', delta }]
        assert.match(between(batchBytes(records, { first: 1 })).reason, /offset delta/)
      }
    })

    test('lengths that are negative or of more than 64 bits', () => {
      const endless = Buffer.alloc(11, 0xff)
      assert.match(between(batchBytes(endless, { first: 1, count: 1 })).reason, /more than 64 bits/)
      const body = Buffer.concat([Buffer.from([0]), varint(0), varint(0), varint(-7), varint(1), varint(0)])
      const negative = Buffer.concat([varint(body.length), body])
      assert.match(between(batchBytes(negative, { first: 1, count: 1 })).reason, /a field has -7 bytes/)
    })

    test('an old message format', () => {
      assert.match(between(batchBytes(threeRecords, { first: 1, magic: 1 })).reason, /message format 1/)
    })
  })

  test('a first batch that is cut is reported: the next fetch would be the same', () => {
    const whole = good(5, 'a', 'b', 'c')
    const [record] = read(whole.subarray(0, whole.length - 1), 5n)
    assert.match(record?.unreadable?.reason ?? '', /truncated/)
    assert.deepEqual([record?.unreadable?.firstOffset, record?.offset], [5n, '7'])
    const [header] = read(whole.subarray(0, 40), 6n)
    assert.deepEqual([header?.unreadable?.firstOffset, header?.offset], [5n, '6'])
  })

  test('a length that is negative or absurd ends a fetch, and never loops', () => {
    for (const length of [-1, -(2 ** 31), 0, 20, 2 ** 31 - 1]) {
      const broken = good(0, 'a')
      broken.writeInt32BE(length, 8)
      const found = read(Buffer.concat([broken, good(1, 'b')]), 0n)
      assert.equal(found.length, 1)
      assert.ok(found[0]?.unreadable)
    }
  })

  test('the messages of a batch with a right CRC belong to its transaction also when they cannot be read', () => {
    const bytes = batchBytes([{ value: 'v' }], { codec: 7, attributes: 0x10 })
    bytes.writeBigInt64BE(99n, 43)
    const [record] = read(withCrc(bytes))
    assert.deepEqual(record?.batchContext, { producerId: '99', inTransaction: true })
  })

  test('one fetch reads bounded bytes: further batches wait for the next one', () => {
    const value = Buffer.alloc(20 << 20)
    const large = (first: number): Buffer =>
      batchBytes([{ value }], { first, codec: 4, compress: (bytes) => zstdCompressSync(bytes) })
    const set = Buffer.concat(Array.from({ length: 10 }, (_, i) => large(i)))
    const budget = fetchBudget()
    const found = read(set, 0n, 10n, budget)
    assert.equal(found.length, 4)
    assert.deepEqual(read(set, 0n, 10n, budget), [])
  })

  test('one fetch reads a bounded number of records', () => {
    const batch = (first: number): Buffer => batchBytes(tiny(100_000), { first, count: 100_000 })
    const set = Buffer.concat([0, 1, 2, 3, 4].map((i) => batch(i * 100_000)))
    assert.equal(read(set).length, 300_000)
  })

  test('batches that fail to decompress use up the fetch: bombs cannot stop the event loop', () => {
    const compressed = zstdCompressSync(Buffer.alloc(2 * maxBatchBytes))
    const bomb = (first: number): Buffer => batchBytes([], { first, codec: 4, count: 1, compress: () => compressed })
    const found = read(Buffer.concat(Array.from({ length: 50 }, (_, i) => bomb(i))), 0n, 50n)
    assert.equal(found.length, 2)
  })
})
