// Reads the source until it has ended, in passes of a few reads each. Pauses while too many bytes wait for Kafka: records
// stay in the rings until they are released, read or not.
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Batcher } from './batcher.ts'
import type { Publisher } from './deliver/publisher.ts'
import type { Spool } from './deliver/spool.ts'
import type { Source } from './source/source.ts'

export interface ReadLoopOptions {
  readonly source: Source
  /** The encoder's buffer. */
  readonly buffer: Uint8Array
  readonly batcher: Batcher
  readonly publisher: Publisher
  /** Bytes in memory and on disk beyond which a source that loses nothing by waiting is not read. */
  readonly maxLosslessBytes: number
  readonly maxMemoryBytes: number
  readonly spool: Spool | undefined
  /** Starts summaries when they are due; true while they are being made. */
  readonly summarize: () => boolean | Promise<boolean>
  readonly onPass: () => void
}

/** The clock and the statistics are read once per pass. */
const readsPerPass = 8
const busyMs = 10
const quietMs = 50

export class ReadLoop {
  readonly #options: ReadLoopOptions

  constructor(options: ReadLoopOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const { source, publisher, summarize } = this.#options
    for (let restMs: number = busyMs; ; ) {
      while (this.#mustWait) await sleep(busyMs)
      const { bytes, drained } = await this.#pass()
      const isSummarizing = await summarize()
      if (source.ended) return
      // The last summaries may be waiting for room in the ring, which is no longer released.
      if (drained && !isSummarizing && publisher.hasGivenUp) return
      restMs = bytes > 0 ? busyMs : Math.min(quietMs, restMs * 1.5)
      await (drained ? sleep(restMs) : setImmediate())
    }
  }

  get #mustWait(): boolean {
    const { source, publisher, spool, maxMemoryBytes, maxLosslessBytes } = this.#options
    if (publisher.hasGivenUp) return false
    const { backlogBytes } = publisher
    if (backlogBytes >= maxMemoryBytes) return true
    if (source.lossless !== true || spool === undefined) return false
    return backlogBytes + spool.bytes >= maxLosslessBytes
  }

  async #pass(): Promise<{ bytes: number; drained: boolean }> {
    const { source, buffer, batcher, onPass } = this.#options
    const reading = source.clock()
    const statistics = source.statistics()
    let bytes = 0
    let drained = false
    for (let reads = 0; reads < readsPerPass && !this.#mustWait; reads++) {
      const length = source.read(buffer)
      drained = length === 0
      if (drained) break
      bytes += length
      batcher.add(length)
      await setImmediate()
    }
    batcher.endPass(reading, statistics, drained)
    onPass()
    return { bytes, drained }
  }
}
