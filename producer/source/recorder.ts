// A source that also writes every read to a file, for openRecording() to play later without root or a kernel. A disk that
// is full ends the recording, not the source.
import { closeSync, ftruncateSync, writeSync } from 'node:fs'
import { cannotWrite, messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { encodeChunk, encodeHeader, openFile } from './recording-format.ts'
import {
  type Account,
  type ClockReading,
  type LimitedCalls,
  type Mark,
  noStatistics,
  type Source,
  type SourceStatistics
} from './source.ts'

class Recorder implements Source {
  readonly #source: Source
  readonly #path: string
  readonly #file: number
  readonly #log: Log
  /** Bytes of the whole chunks. */
  #size = 0
  /** Statistics of the last chunk; set when the recording has ended before the source. */
  #last: SourceStatistics | undefined
  #hasEnded = false
  #closed = false

  constructor(source: Source, path: string, log: Log) {
    this.#source = source
    this.#path = path
    this.#log = log
    this.#file = openFile(path, 'w')
    try {
      this.#write(encodeHeader(source.boot))
    } catch (cause) {
      closeSync(this.#file)
      throw cannotWrite(`the recording ${path}`, cause, 'choose another file with --record')
    }
  }

  get boot(): string {
    return this.#source.boot
  }

  get description(): string {
    return this.#source.description
  }

  // Written synchronously, into the page cache: a queue of copies could grow without bound. The clock is read first:
  // no event of a later read is older.
  read(into: Uint8Array): number {
    const clock = this.#source.clock()
    const bytes = this.#source.read(into)
    if (bytes > 0 && !this.#hasEnded) this.#record(clock, into.subarray(0, bytes))
    return bytes
  }

  /** The file lacks the events that a previous run published: its sequences begin after them. */
  #statisticsOfFile(): SourceStatistics {
    const statistics = this.#source.statistics()
    const closed = new Map(this.#source.previous?.closed.map(({ cpu, seq }) => [cpu, seq]))
    const sequences = statistics.sequences.map((range) => ({ ...range, before: closed.get(range.cpu) ?? range.before }))
    return { ...statistics, sequences }
  }

  #record(clock: ClockReading, records: Uint8Array): void {
    const statistics = this.#statisticsOfFile()
    try {
      this.#write(encodeChunk(clock, statistics, records))
      this.#last = statistics
    } catch (error) {
      this.#hasEnded = true
      const what = `cannot write the recording ${this.#path}: ${messageOf(error)}`
      this.#log.error({ bytes: this.#size }, `${what}; it ends here, the edge continues`)
    }
  }

  /** @throws the file system's error; then the file has only the chunks before */
  #write(bytes: Buffer): void {
    try {
      // By position: a full disk takes the beginning of a chunk, which the next write replaces.
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, undefined, this.#size + at)
      this.#size += bytes.length
    } catch (error) {
      this.#removePart()
      throw error
    }
  }

  #removePart(): void {
    try {
      ftruncateSync(this.#file, this.#size)
    } catch (error) {
      this.#log.error(`the recording ${this.#path} ends within a chunk: ${messageOf(error)}`)
    }
  }

  /** The last chunk, without which a recording counts as cut short. By now the disk may have room for it. */
  #end(): void {
    const statistics = this.#hasEnded ? (this.#last ?? noStatistics) : this.#statisticsOfFile()
    try {
      this.#write(encodeChunk(this.#source.clock(), statistics, new Uint8Array(0)))
    } catch (error) {
      this.#log.error(`the recording ${this.#path} lacks its end: ${messageOf(error)}`)
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

  limited(): readonly LimitedCalls[] {
    return this.#source.limited?.() ?? []
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
    this.#end()
    closeSync(this.#file)
    this.#source.close()
  }
}

/**
 * Records all reads of `source` in the file `path`, which is complete once the result is closed.
 * @throws RingsideError CONFIG when the file cannot be created, IO when the disk is full
 */
export const createRecorder = (source: Source, path: string, log: Log): Source => new Recorder(source, path, log)
