// A source that also writes every read to a file, for openRecording() to play later without root or a kernel.
import { closeSync, writeFileSync } from 'node:fs'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { encodeChunk, encodeHeader, openFile } from './recording-format.ts'
import type { Account, ClockReading, Mark, Source, SourceStatistics } from './source.ts'

class Recorder implements Source {
  readonly #source: Source
  readonly #path: string
  readonly #file: number
  #closed = false

  constructor(source: Source, path: string) {
    this.#source = source
    this.#path = path
    this.#file = openFile(path, 'w')
    this.#write(encodeHeader(source.boot))
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
    if (bytes > 0) this.#write(encodeChunk(clock, this.#statisticsOfFile(), into.subarray(0, bytes)))
    return bytes
  }

  /** The file lacks the events that a previous run published: its sequences begin after them. */
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
 * Records all reads of `source` in the file `path`, which is complete once the result is closed.
 * @throws RingsideError CONFIG when the file cannot be created; here and later OS when the disk is full
 */
export const createRecorder = (source: Source, path: string): Source => new Recorder(source, path)
