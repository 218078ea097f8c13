// A partition's part of a fetch response in, its records out. A batch that cannot be read becomes one record that says so:
// kafkajs would crash, rejoin and fetch it again for ever. Sizes and numbers of records are bounded in each batch and
// each fetch.
// @see https://kafka.apache.org/documentation/#recordbatch
import { crc32c } from '@node-rs/crc32'
import type kafkajs from 'kafkajs'
import { messageOf } from '../../runtime/errors.ts'
import type { UnreadableBatch } from '../client.ts'
import { decompress } from './compression.ts'

/** A kafkajs message, as its consumer filters them. */
export interface FetchedRecord extends Omit<kafkajs.KafkaMessage, 'size' | 'headers'> {
  readonly headers: Record<string, Buffer>
  isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
  /** Set for the record that takes the place of a batch. */
  readonly unreadable?: UnreadableBatch
}

/** Brokers accept 1–2 MB, and events compress about tenfold. */
export const maxBatchBytes = 32 << 20
/** Also of its headers. More than an uncompressed batch of 2 MB can have; each takes some 400 bytes of memory. */
export const maxBatchRecords = 250_000

/** What one fetch may still read: beyond it, later batches wait for the next fetch. A batch that has begun is read whole. */
export interface FetchBudget {
  bytes: number
  records: number
}
export const fetchBudget = (): FetchBudget => ({ bytes: 2 * maxBatchBytes, records: maxBatchRecords })

// Positions in the header of a batch.
const lengthAt = 8
const magicAt = 16
const crcAt = 17
const attributesAt = 21
const lastOffsetDeltaAt = 23
const firstTimestampAt = 27
const maxTimestampAt = 35
const producerIdAt = 43
const recordsAt = 57
const headerBytes = 61
/** Offset and length: all of a batch that every version has, besides its magic byte. */
const prefixBytes = 12

const codecMask = 0x07
const logAppendTime = 0x08
const transactional = 0x10
const control = 0x20

class RecordReader {
  readonly #bytes: Buffer
  #at = 0
  #headers = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get at(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  /** Zigzag, at most 64 bits: exact up to 2^53. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new Error('a record is truncated')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 128
    }
    throw new Error('a number has more than 64 bits')
  }

  /** Bytes after their length; null for length −1. */
  bytes(): Buffer | null {
    const length = this.varint()
    if (length === -1) return null
    const end = this.#at + length
    if (length < 0 || end > this.#bytes.length) throw new Error(`a record is truncated: a field has ${length} bytes`)
    const bytes = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  headers(): Record<string, Buffer> {
    const count = this.varint()
    this.#headers += count
    if (this.#headers > maxBatchRecords)
      throw new Error(`${this.#headers} headers: at most ${maxBatchRecords} are read`)
    const headers: [string, Buffer][] = []
    for (let i = 0; i < count; i++) {
      const name = this.bytes()?.toString('utf8') ?? ''
      headers.push([name, this.bytes() ?? Buffer.alloc(0)])
    }
    return Object.fromEntries(headers)
  }
}

/** A whole batch of version 2. */
class RecordBatch {
  readonly #bytes: Buffer
  readonly #first: bigint
  readonly #attributes: number
  readonly batchContext: FetchedRecord['batchContext']

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#first = bytes.readBigInt64BE(0)
    this.#attributes = bytes.readInt16BE(attributesAt)
    const producerId = String(bytes.readBigInt64BE(producerIdAt))
    this.batchContext = { producerId, inTransaction: (this.#attributes & transactional) !== 0 }
  }

  /** @throws Error when it differs from the bytes: nothing that they say can be trusted */
  checkCrc(): void {
    const expected = this.#bytes.readUInt32BE(crcAt)
    const found = crc32c(this.#bytes.subarray(attributesAt))
    if (found !== expected) throw new Error(`its CRC-32C is ${found.toString(16)} instead of ${expected.toString(16)}`)
  }

  /** @throws Error when its records are corrupt, or over the bounds */
  records(budget: FetchBudget): FetchedRecord[] {
    const count = this.#bytes.readInt32BE(recordsAt)
    if (count > maxBatchRecords) throw new Error(`${count} records: at most ${maxBatchRecords} are read`)
    const reader = new RecordReader(this.#decompressed(budget))
    budget.records -= count
    const records: FetchedRecord[] = []
    let lastDelta = -1
    for (let i = 0; i < count; i++) lastDelta = this.#readRecord(reader, records, lastDelta)
    if (!reader.isAtEnd) throw new Error(`it has more than its ${count} records`)
    // Compaction removes records and keeps the batch: the position must move behind it.
    if (lastDelta !== this.#lastDelta) records.push(this.#filler())
    return records
  }

  #decompressed(budget: FetchBudget): Buffer {
    const stored = this.#bytes.subarray(headerBytes)
    const codec = this.#attributes & codecMask
    // What failed to decompress has cost as much as the largest batch.
    budget.bytes -= codec === 0 ? stored.length : maxBatchBytes
    if (codec === 0) return stored
    const decompressed = decompress(codec, stored, maxBatchBytes)
    budget.bytes += maxBatchBytes - decompressed.length
    return decompressed
  }

  /** @returns its distance from the batch's first offset */
  #readRecord(reader: RecordReader, records: FetchedRecord[], lastDelta: number): number {
    const length = reader.varint()
    const end = reader.at + length
    reader.skip(1)
    const timestampDelta = reader.varint()
    const delta = reader.varint()
    if (!(delta > lastDelta && delta <= this.#lastDelta)) throw new Error(`a record has offset delta ${delta}`)
    const key = reader.bytes()
    const value = reader.bytes()
    const headers = reader.headers()
    if (reader.at !== end) throw new Error(`a record does not end at its length of ${length} bytes`)
    records.push({ ...this.#control(delta, this.#timestamp(timestampDelta)), key, value, headers })
    return delta
  }

  #control(delta: number, timestamp: string) {
    const isControlRecord = (this.#attributes & control) !== 0
    return { offset: this.#offset(delta), timestamp, attributes: 0, isControlRecord, batchContext: this.batchContext }
  }

  /** A record without a message: hidden like a control record. */
  #filler(): FetchedRecord {
    const base = this.#control(this.#lastDelta, this.#timestamp(0))
    return { ...base, isControlRecord: true, key: null, value: null, headers: {} }
  }

  get #lastDelta(): number {
    return this.#bytes.readInt32BE(lastOffsetDeltaAt)
  }

  #offset(delta: number): string {
    return String(this.#first + BigInt(delta))
  }

  #timestamp(delta: number): string {
    if ((this.#attributes & logAppendTime) !== 0) return String(this.#bytes.readBigInt64BE(maxTimestampAt))
    return String(Number(this.#bytes.readBigInt64BE(firstTimestampAt)) + delta)
  }
}

/** Where the next fetch must continue: behind the batch, and never at the offset of this fetch again. */
const lastOffsetOf = (bytes: Buffer, next: Buffer, { from, end }: FetchedRange): bigint => {
  const first = bytes.readBigInt64BE(0)
  // The header itself may be corrupt: the beginning of the next batch is the better witness.
  const bound = next.length >= prefixBytes ? next.readBigInt64BE(0) : end
  const delta = bytes.length >= headerBytes ? bytes.readInt32BE(lastOffsetDeltaAt) : 0
  const claimed = first + BigInt(Math.max(0, delta))
  const last = claimed < bound ? claimed : next.length >= prefixBytes ? bound - 1n : first
  return last < from ? from : last
}

const noTransaction = { producerId: '-1', inTransaction: false }

const unreadableRecord = (unreadable: UnreadableBatch, batchContext: FetchedRecord['batchContext']): FetchedRecord => ({
  offset: String(unreadable.lastOffset),
  timestamp: '-1',
  attributes: 0,
  key: null,
  value: null,
  headers: {},
  isControlRecord: false,
  batchContext,
  unreadable
})

const readBatch = (bytes: Buffer, isWhole: boolean, next: Buffer, range: FetchedRange): FetchedRecord[] => {
  let batchContext = noTransaction
  try {
    const version = bytes[magicAt]
    if (version !== undefined && version !== 2) throw new Error(`message format ${version}: only 2 is read`)
    if (!isWhole) throw new Error('the batch is truncated')
    const batch = new RecordBatch(bytes)
    batch.checkCrc()
    batchContext = batch.batchContext
    return batch.records(range.budget)
  } catch (error) {
    const firstOffset = bytes.readBigInt64BE(0)
    const lastOffset = lastOffsetOf(bytes, next, range)
    return [unreadableRecord({ firstOffset, lastOffset, reason: messageOf(error), bytes }, batchContext)]
  }
}

export interface FetchedRange {
  /** The offset of the fetch request. */
  readonly from: bigint
  /** The high watermark: the offset after the last message. */
  readonly end: bigint
  readonly budget: FetchBudget
}

/** @param set the record batches of one partition; the last may be cut */
export const readRecordBatches = (set: Buffer, range: FetchedRange): FetchedRecord[] => {
  const { budget } = range
  const found: FetchedRecord[] = []
  for (let at = 0; at + prefixBytes <= set.length && budget.bytes > 0 && budget.records > 0; ) {
    const end = at + prefixBytes + set.readInt32BE(at + lengthAt)
    const isWhole = end >= at + headerBytes && end <= set.length
    // The next fetch begins with this batch, and brokers send the first one whole.
    if (!isWhole && at > 0) break
    const next = isWhole ? end : set.length
    for (const record of readBatch(set.subarray(at, next), isWhole, set.subarray(next), range)) found.push(record)
    at = next
  }
  return found
}
