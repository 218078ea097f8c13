import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { decompress } from '../../../wire/kafkajs/compression.ts'

const bound = 1 << 20
const plain = Buffer.concat([randomBytes(50_000), Buffer.alloc(100_000, 'ringside')])

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** As snappy-java writes it: blocks of 32 KiB. */
const xerial = (bytes: Buffer): Buffer => {
  const parts = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]), int32(1), int32(1)]
  for (let at = 0; at < bytes.length; at += 32 << 10) {
    const block = compressSync(bytes.subarray(at, at + (32 << 10)))
    parts.push(int32(block.length), block)
  }
  return Buffer.concat(parts)
}

const writers: readonly (readonly [string, number, (bytes: Buffer) => Buffer])[] = [
  ['gzip', 1, (bytes) => gzipSync(bytes)],
  ['snappy in blocks, as Java writes it,', 2, xerial],
  ['snappy in one piece, as librdkafka writes it,', 2, (bytes) => compressSync(bytes)],
  ['lz4', 3, (bytes) => compressFrameSync(bytes)],
  ['lz4 with checksums', 3, (bytes) => compressFrameSync(bytes, { contentChecksum: true, blockChecksums: true })],
  ['zstd', 4, (bytes) => zstdCompressSync(bytes)]
]

describe('decompression', () => {
  for (const [name, codec, compress] of writers) {
    test(`${name} is read`, () => {
      assert.ok(decompress(codec, compress(plain), bound).equals(plain))
      assert.equal(decompress(codec, compress(Buffer.alloc(0)), bound).length, 0)
    })

    test(`${name} is read up to the bound, and refused beyond it`, () => {
      const zeros = Buffer.alloc(bound)
      assert.equal(decompress(codec, compress(zeros), bound).length, bound)
      const more = compress(Buffer.alloc(2 * bound))
      assert.throws(() => decompress(codec, more, bound), /decompresses to more than 1048576 bytes/)
    })

    test(`${name} that is cut anywhere is an error, or less data`, () => {
      const whole = compress(plain)
      for (const length of [0, 1, 5, 9, 17, 1000, whole.length - 5]) {
        const cut = whole.subarray(0, length)
        try {
          assert.ok(decompress(codec, cut, bound).length < plain.length, `${length} bytes`)
        } catch (error) {
          assert.match(String(error), /^Error: (gzip|snappy|lz4|zstd): \S/)
        }
      }
    })
  }

  test('corrupt bytes of each codec are an error that names the codec', () => {
    for (const [codec, name] of [
      [1, 'gzip'],
      [2, 'snappy'],
      [3, 'lz4'],
      [4, 'zstd']
    ] as const) {
      assert.throws(() => decompress(codec, Buffer.alloc(64, 0xff), bound), new RegExp(`^Error: ${name}: `))
    }
  })

  test('a codec that Kafka does not have is an error', () => {
    assert.throws(() => decompress(6, Buffer.alloc(10), bound), /unknown compression codec 6/)
  })
})
