// Record batches by hand, as a broker stores them, also ones that no producer makes.
import { crc32c } from '@node-rs/crc32'

export interface HandmadeRecord {
  readonly key?: string
  readonly value: Buffer | string
  readonly headers?: readonly (readonly [string, string])[]
  /** Distance from the batch's first offset; default: its index. */
  readonly delta?: number
}

export interface BatchOptions {
  readonly first?: number
  /** Number of the codec in the attributes. */
  readonly codec?: number
  readonly compress?: (records: Buffer) => Buffer
  readonly attributes?: number
  readonly lastDelta?: number
  /** The number of records in the header; default: the true one. */
  readonly count?: number
  readonly magic?: number
}

export const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}

const field = (text: Buffer | string | undefined): Buffer => {
  if (text === undefined) return varint(-1)
  const bytes = Buffer.from(text as string)
  return Buffer.concat([varint(bytes.length), bytes])
}

export const recordBytes = ({ key, value, headers = [], delta }: HandmadeRecord, index = 0): Buffer => {
  const named = headers.flatMap(([name, text]) => [field(name), field(text)])
  const parts = [varint(0), varint(delta ?? index), field(key), field(value), varint(headers.length), ...named]
  const body = Buffer.concat([Buffer.from([0]), ...parts])
  return Buffer.concat([varint(body.length), body])
}

/** @param records whole records, or the bytes that stand for them */
export const batchBytes = (records: readonly HandmadeRecord[] | Buffer, options: BatchOptions = {}): Buffer => {
  const { first = 0, codec = 0, compress = (bytes) => bytes, attributes = 0, magic = 2 } = options
  const plain = Buffer.isBuffer(records) ? records : Buffer.concat(records.map(recordBytes))
  const count = options.count ?? records.length
  const header = Buffer.alloc(61)
  const body = compress(plain)
  header.writeBigInt64BE(BigInt(first), 0)
  header.writeInt32BE(49 + body.length, 8)
  header.writeInt8(magic, 16)
  header.writeInt16BE(codec | attributes, 21)
  header.writeInt32BE(options.lastDelta ?? count - 1, 23)
  header.writeBigInt64BE(1_700_000_000_000n, 27)
  header.writeBigInt64BE(1_700_000_000_500n, 35)
  header.writeBigInt64BE(-1n, 43)
  header.writeInt16BE(-1, 51)
  header.writeInt32BE(-1, 53)
  header.writeInt32BE(count, 57)
  return withCrc(Buffer.concat([header, body]))
}

/** The same bytes with the CRC that belongs to them. */
export const withCrc = (batch: Buffer): Buffer => {
  const copy = Buffer.from(batch)
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17)
  return copy
}
