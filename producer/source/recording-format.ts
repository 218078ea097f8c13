// The bytes of a recording, in the byte order of the machine that wrote it (little-endian):
//
//   header, 64 bytes: "RINGSIDE" · u32 RINGSIDE_EVENT_VERSION · u32 0x01020304 · boot id, 36 bytes of ASCII · zeros
//   each chunk:       u32 bytes of statistics · u32 bytes of records · u64 CLOCK_MONOTONIC · u64 CLOCK_REALTIME (ns)
//                     · SourceStatistics as JSON, padded with spaces to a multiple of 8 · records of one read
//
// A chunk's clock is from just before its read, its statistics from just after. The last chunk has no records: a file
// without it was cut short.
import { openSync } from 'node:fs'
import { z } from 'zod'
import { eventVersion } from '../../bpf/event.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { ClockReading, SourceStatistics } from './source.ts'

const magic = 'RINGSIDE'
const byteOrder = 0x01020304
/** No read and no statistics of 1,024 CPUs are longer: a longer length is damage. */
const maxBytes = 1 << 28

export const headerBytes = 64
export const chunkHeaderBytes = 24

export interface ChunkHeader {
  readonly statisticsBytes: number
  readonly recordBytes: number
  readonly clock: ClockReading
}

const count = z.number().min(0)
const countByClass = z.object({ process: count, network: count, file: count, io: count })
const statisticsSchema = z.object({
  seen: count,
  emitted: countByClass,
  dropped: countByClass,
  off: countByClass.exactOptional(),
  counted: countByClass.exactOptional(),
  untracked: count.exactOptional(),
  uncounted: count.exactOptional(),
  limited: count.exactOptional(),
  programTimeNs: count.exactOptional(),
  countedUntilUs: count.exactOptional(),
  sequences: z.array(z.object({ cpu: z.int().min(0), before: count, last: count }))
})

/** @throws RingsideError NO_INPUT when the file cannot be read, CONFIG when it cannot be written */
export const openFile = (path: string, flags: 'r' | 'w'): number => {
  try {
    // Readable by its owner alone: a recording shows the files and connections of every user of the machine.
    return openSync(path, flags, 0o600)
  } catch (cause) {
    const [code, purpose] = flags === 'r' ? (['NO_INPUT', 'read'] as const) : (['CONFIG', 'write'] as const)
    throw new RingsideError(code, `cannot ${purpose} the recording ${path}: ${messageOf(cause)}`, { cause })
  }
}

/** @param problem completes the sentence "the recording PATH …" */
export const damage = (path: string, problem: string): RingsideError =>
  new RingsideError('DATA', `the recording ${path} ${problem}`)

export const encodeHeader = (boot: string): Buffer => {
  const header = Buffer.alloc(headerBytes)
  header.write(magic, 0, 'latin1')
  header.writeUInt32LE(eventVersion, 8)
  header.writeUInt32LE(byteOrder, 12)
  header.write(boot, 16, 36, 'latin1')
  return header
}

/**
 * @param header undefined: the file is shorter
 * @returns the boot id
 * @throws RingsideError DATA when the file is not a recording, or of another version or byte order
 */
export const decodeHeader = (header: Buffer | undefined, path: string): string => {
  if (header?.toString('latin1', 0, 8) !== magic) {
    throw damage(path, 'is not a recording: it does not begin with RINGSIDE')
  }
  if (header.readUInt32LE(12) !== byteOrder) throw damage(path, 'was made on a machine of the other byte order')
  const version = header.readUInt32LE(8)
  if (version !== eventVersion) {
    throw damage(path, `has events of version ${version}; this Ringside reads version ${eventVersion}`)
  }
  return header.toString('latin1', 16, 52)
}

export const encodeChunk = (clock: ClockReading, statistics: SourceStatistics, records: Uint8Array): Buffer => {
  const json = JSON.stringify(statistics)
  const statisticsBytes = (Buffer.byteLength(json) + 7) & ~7
  const chunk = Buffer.alloc(chunkHeaderBytes + statisticsBytes + records.byteLength, ' ')
  chunk.writeUInt32LE(statisticsBytes, 0)
  chunk.writeUInt32LE(records.byteLength, 4)
  chunk.writeBigUInt64LE(clock.monotonicNs, 8)
  chunk.writeBigUInt64LE(clock.wallNs, 16)
  chunk.write(json, chunkHeaderBytes)
  chunk.set(records, chunkHeaderBytes + statisticsBytes)
  return chunk
}

/**
 * @param at the chunk's place in the file, for the error
 * @throws RingsideError DATA when its lengths are impossible
 */
export const decodeChunkHeader = (header: Buffer, path: string, at: number): ChunkHeader => {
  const statisticsBytes = header.readUInt32LE(0)
  const recordBytes = header.readUInt32LE(4)
  if (statisticsBytes > maxBytes || recordBytes > maxBytes || (statisticsBytes | recordBytes) & 7) {
    throw damage(path, `is damaged at byte ${at}: no chunk has the lengths ${statisticsBytes} and ${recordBytes}`)
  }
  const clock = { monotonicNs: header.readBigUInt64LE(8), wallNs: header.readBigUInt64LE(16) }
  return { statisticsBytes, recordBytes, clock }
}

/**
 * @param at the chunk's place in the file, for the error
 * @throws RingsideError DATA when they are not SourceStatistics
 */
export const decodeStatistics = (json: Buffer, path: string, at: number): SourceStatistics => {
  try {
    return statisticsSchema.parse(JSON.parse(json.toString('utf8')))
  } catch (cause) {
    throw damage(path, `is damaged at byte ${at}: its statistics cannot be read: ${messageOf(cause)}`)
  }
}
