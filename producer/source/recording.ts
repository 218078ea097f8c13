// Plays a recording (recording-format.ts) as a source, as fast as it is read.
import { closeSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { eventHeaderBytes, recordMaxBytes } from '../../bpf/event.ts'
import {
  chunkHeaderBytes,
  damage,
  decodeChunkHeader,
  decodeHeader,
  decodeStatistics,
  headerBytes,
  openFile
} from './recording-format.ts'
import { type ClockReading, noMark, noStatistics, type Source, type SourceStatistics } from './source.ts'

interface Chunk {
  readonly clock: ClockReading
  readonly statistics: SourceStatistics
  readonly records: Buffer
}

class Recording implements Source {
  readonly begin = noMark
  readonly boot: string
  readonly description: string
  readonly lossless = true
  readonly #path: string
  readonly #file: number
  #position = 0
  #chunk: Chunk | undefined
  /** Offset of the next record within the chunk. */
  #at = 0
  #clock: ClockReading = { monotonicNs: 0n, wallNs: 0n }
  #statistics = noStatistics
  #ended = false
  #closed = false

  constructor(path: string) {
    this.#path = path
    this.#file = openFile(path, 'r')
    this.description = `recording ${basename(path)}`
    try {
      this.boot = decodeHeader(this.#take(headerBytes), path)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** @returns undefined when the file has fewer bytes left */
  #take(bytes: number): Buffer | undefined {
    const buffer = Buffer.alloc(bytes)
    if (readSync(this.#file, buffer, 0, bytes, this.#position) < bytes) return undefined
    this.#position += bytes
    return buffer
  }

  #nextChunk(): Chunk {
    const at = this.#position
    const take = (bytes: number): Buffer => {
      const part = this.#take(bytes)
      if (part === undefined) throw damage(this.#path, `was cut short: its chunk at byte ${at} is not whole`)
      return part
    }
    const { clock, statisticsBytes, recordBytes } = decodeChunkHeader(take(chunkHeaderBytes), this.#path, at)
    const json = take(statisticsBytes)
    const records = take(recordBytes)
    return { clock, statistics: decodeStatistics(json, this.#path, at), records }
  }

  /**
   * Bytes of the next whole records that fit into `room`. With less room than the recorder had, a chunk takes several
   * reads.
   */
  #measure(records: Buffer, room: number): number {
    let end = this.#at
    while (end < records.length) {
      const size = end + 4 <= records.length ? records.readUInt32LE(end) : 0
      if (size < eventHeaderBytes || size > recordMaxBytes || size % 8 !== 0 || end + size > records.length) {
        throw damage(this.#path, `is damaged: a record claims ${size} bytes`)
      }
      if (end + size - this.#at > room) break
      end += size
    }
    return end - this.#at
  }

  /** @throws RingsideError DATA where the file is damaged or cut short, once all before that was read */
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

  /** A recording keeps no record for a successor. */
  release(): void {}

  /** The recording has its summaries already. */
  async summarize(): Promise<boolean> {
    return false
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Empties the sequences: the rest of the file is not played, which is no loss. */
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

/** @throws RingsideError NO_INPUT when the file cannot be read, DATA when it is not a recording of a known version */
export const openRecording = (path: string): Source => new Recording(path)
