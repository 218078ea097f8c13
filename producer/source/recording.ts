// Ring bytes on disk: what a live source gave, to be played again without root or a kernel.
//
// The file, in the byte order of the machine that wrote it (little-endian):
//   header, 64 bytes: "RINGSIDE" · u32 RINGSIDE_EVENT_VERSION · u32 0x01020304 · boot id, 36 bytes of ASCII · zeros
//   chunks, each:     u32 statistics bytes · u32 record bytes · u64 CLOCK_MONOTONIC · u64 CLOCK_REALTIME (ns)
//                     · SourceStatistics as JSON, spaces up to a multiple of 8 · records, of the security ring first
// A chunk holds what one read gave, the clock of just before it and the statistics of just after. The last has no records:
// a file that ends otherwise was cut short.
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import { eventHeaderBytes, eventVersion, recordMaxBytes } from '../../bpf/event.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { type Account, type ClockReading, type Mark, noMark, type Source, type SourceStatistics } from './source.ts'

/** The oldest version whose records mean the same: they have no stack. */
const oldestEventVersion = 2
const magic = 'RINGSIDE'
const byteOrder = 0x01020304
const headerBytes = 64
const chunkHeaderBytes = 24
/** No read is larger, nor are statistics of 1,024 CPUs: a longer length is damage. */
const chunkMaxBytes = 1 << 28

const count = z.number().min(0)
const countByClass = z.object({ process: count, network: count, file: count, io: count })
const statisticsSchema = z.object({
  seen: count,
  emitted: countByClass,
  dropped: countByClass,
  off: countByClass.exactOptional(),
  counted: countByClass.exactOptional(),
  unaccounted: count.exactOptional(),
  uncounted: count.exactOptional(),
  countedUntilUs: count.exactOptional(),
  sequences: z.array(z.object({ cpu: z.int().min(0), before: count, last: count }))
})

const encodeHeader = (boot: string): Buffer => {
  const header = Buffer.alloc(headerBytes)
  header.write(magic, 0, 'latin1')
  header.writeUInt32LE(eventVersion, 8)
  header.writeUInt32LE(byteOrder, 12)
  header.write(boot, 16, 36, 'latin1')
  return header
}

const encodeChunk = (clock: ClockReading, statistics: SourceStatistics, records: Uint8Array): Buffer => {
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

const openFile = (path: string, flags: 'r' | 'w', purpose: string): number => {
  try {
    // A new one is for its owner alone: it holds what every user of the machine executes, opens and connects to.
    return openSync(path, flags, 0o600)
  } catch (cause) {
    const code = flags === 'r' ? 'NO_INPUT' : 'CONFIG'
    throw new RingsideError(code, `cannot ${purpose} the recording ${path}: ${messageOf(cause)}`, { cause })
  }
}

class RecordingSource implements Source {
  readonly #source: Source
  readonly #path: string
  readonly #file: number
  #closed = false

  constructor(source: Source, path: string) {
    this.#source = source
    this.#path = path
    this.#file = openFile(path, 'w', 'write')
    this.#write(encodeHeader(source.boot))
  }

  get boot(): string {
    return this.#source.boot
  }

  get description(): string {
    return this.#source.description
  }

  // Written at once, into the page cache: a queue of copies could grow without bound. The clock is read
  // first: what a later read gives cannot be older.
  read(into: Uint8Array): number {
    const clock = this.#source.clock()
    const bytes = this.#source.read(into)
    if (bytes > 0) this.#write(encodeChunk(clock, this.#statisticsOfFile(), into.subarray(0, bytes)))
    return bytes
  }

  /** What a run before has published is not in the file: it begins where that one ended. */
  #statisticsOfFile(): SourceStatistics {
    const statistics = this.#source.statistics()
    const closed = new Map(this.#source.previous?.closed.map(({ cpu, seq }) => [cpu, seq]))
    const sequences = statistics.sequences.map((range) => ({ ...range, before: closed.get(range.cpu) ?? range.before }))
    return { ...statistics, sequences }
  }

  #write(bytes: Buffer): void {
    try {
      writeFileSync(this.#file, bytes)
    } catch (cause) {
      throw new RingsideError('OS', `cannot write the recording ${this.#path}: ${messageOf(cause)}`, { cause })
    }
  }

  clock(): ClockReading {
    return this.#source.clock()
  }

  statistics(): SourceStatistics {
    return this.#source.statistics()
  }

  get previous(): Account | undefined {
    return this.#source.previous
  }

  get begin(): Mark {
    return this.#source.begin
  }

  release(mark: Mark, account: Account): void {
    this.#source.release(mark, account)
  }

  get pressure(): number {
    return this.#source.pressure ?? 0
  }

  summarize(): Promise<boolean> {
    return this.#source.summarize()
  }

  get ended(): boolean {
    return this.#source.ended
  }

  detach(): Promise<void> {
    return this.#source.detach()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    try {
      this.#write(encodeChunk(this.#source.clock(), this.#statisticsOfFile(), new Uint8Array(0)))
    } finally {
      closeSync(this.#file)
      this.#source.close()
    }
  }
}

/**
 * Writes all that is read from `source` to `path` as well; the file is whole when the result is closed.
 * @throws RingsideError CONFIG when the file cannot be made; here and later OS when the disk is full
 */
export const createRecorder = (source: Source, path: string): Source => new RecordingSource(source, path)

interface Chunk {
  readonly clock: ClockReading
  readonly statistics: SourceStatistics
  readonly records: Buffer
}

const noEvents: SourceStatistics = {
  seen: 0,
  emitted: { process: 0, network: 0, file: 0, io: 0 },
  dropped: { process: 0, network: 0, file: 0, io: 0 },
  sequences: []
}

class PlayedSource implements Source {
  readonly begin = noMark
  readonly boot: string
  readonly description: string
  readonly lossless = true
  readonly #path: string
  readonly #file: number
  #position = headerBytes
  #chunk: Chunk | undefined
  /** The next record within the chunk. */
  #at = 0
  #clock: ClockReading = { monotonicNs: 0n, wallNs: 0n }
  #statistics = noEvents
  #ended = false
  #closed = false

  constructor(path: string) {
    this.#path = path
    this.#file = openFile(path, 'r', 'read')
    this.description = `recording ${basename(path)}`
    try {
      this.boot = this.#readHeader()
    } catch (error) {
      this.close()
      throw error
    }
  }

  #damage(what: string): RingsideError {
    return new RingsideError('DATA', `the recording ${this.#path} ${what}`)
  }

  /** @returns undefined when the file has fewer bytes left */
  #take(bytes: number): Buffer | undefined {
    const buffer = Buffer.alloc(bytes)
    if (readSync(this.#file, buffer, 0, bytes, this.#position) < bytes) return undefined
    this.#position += bytes
    return buffer
  }

  #readHeader(): string {
    this.#position = 0
    const header = this.#take(headerBytes)
    if (header?.toString('latin1', 0, 8) !== magic) throw this.#damage('is not one: it does not begin with RINGSIDE')
    if (header.readUInt32LE(12) !== byteOrder) throw this.#damage('was made on a machine of the other byte order')
    const version = header.readUInt32LE(8)
    if (version < oldestEventVersion || version > eventVersion) {
      const read = `${oldestEventVersion} to ${eventVersion}`
      throw this.#damage(`has events of version ${version}; this Ringside reads versions ${read}`)
    }
    return header.toString('latin1', 16, 52)
  }

  #nextChunk(): Chunk {
    const start = this.#position
    const cutShort = () => this.#damage(`was cut short: its chunk at byte ${start} is not whole`)
    const header = this.#take(chunkHeaderBytes)
    if (header === undefined) throw cutShort()
    const statisticsBytes = header.readUInt32LE(0)
    const recordBytes = header.readUInt32LE(4)
    if (statisticsBytes > chunkMaxBytes || recordBytes > chunkMaxBytes || (statisticsBytes | recordBytes) & 7) {
      throw this.#damage(`is damaged at byte ${start}: no chunk has these lengths: ${statisticsBytes}, ${recordBytes}`)
    }
    const json = this.#take(statisticsBytes)
    const records = this.#take(recordBytes)
    if (json === undefined || records === undefined) throw cutShort()
    return {
      clock: { monotonicNs: header.readBigUInt64LE(8), wallNs: header.readBigUInt64LE(16) },
      statistics: this.#parseStatistics(json, start),
      records
    }
  }

  #parseStatistics(json: Buffer, start: number): SourceStatistics {
    try {
      return statisticsSchema.parse(JSON.parse(json.toString('utf8')))
    } catch {
      throw this.#damage(`is damaged at byte ${start}: its statistics are none`)
    }
  }

  /**
   * Bytes of the whole records that fit into `room`, from where playing stands: all of a chunk when there is as much
   * as there was at recording. With less, the rings' parts of a chunk come in reads of their own.
   */
  #measure(records: Buffer, room: number): number {
    let end = this.#at
    while (end < records.length) {
      const size = end + 4 <= records.length ? records.readUInt32LE(end) : 0
      if (size < eventHeaderBytes || size > recordMaxBytes || size % 8 !== 0 || end + size > records.length) {
        throw this.#damage(`is damaged: a record claims ${size} bytes`)
      }
      if (end + size - this.#at > room) break
      end += size
    }
    return end - this.#at
  }

  /** @throws RingsideError DATA where the file is damaged or cut short, after all that is whole was read */
  read(into: Uint8Array): number {
    if (this.#ended) return 0
    try {
      this.#chunk ??= this.#nextChunk()
      const { clock, statistics, records } = this.#chunk
      const bytes = this.#measure(records, into.byteLength)
      into.set(records.subarray(this.#at, this.#at + bytes))
      this.#at += bytes
      this.#clock = clock
      this.#statistics = statistics
      if (records.length === 0) this.#ended = true
      if (this.#at === records.length) {
        this.#chunk = undefined
        this.#at = 0
      }
      return bytes
    } catch (error) {
      this.#ended = true
      throw error
    }
  }

  clock(): ClockReading {
    return this.#clock
  }

  statistics(): SourceStatistics {
    return this.#statistics
  }

  /** Nothing waits for it. */
  release(): void {}

  /** What was counted was recorded as it was read. */
  async summarize(): Promise<boolean> {
    return false
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What follows in the file is then not lost, only not played. */
  async detach(): Promise<void> {
    const begun = this.#statistics.sequences.map((range) => ({ ...range, last: range.before }))
    if (!this.#ended) this.#statistics = { ...this.#statistics, sequences: begun }
    this.#ended = true
  }

  close(): void {
    this.#ended = true
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#file)
  }
}

/**
 * Plays a recording as fast as it is read.
 * @throws RingsideError NO_INPUT when there is no such file, DATA when it is not a recording of this version
 */
export const openRecording = (path: string): Source => new PlayedSource(path)
