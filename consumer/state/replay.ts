// Restart of a stateful handler: it reads again from its resume offset to rebuild state, and knows from the committed
// metadata which of these batches had their outputs published before.
import type { Checkpoint, Context } from '../handler.ts'

/** The committed metadata, as JSON. */
interface Position {
  /** The highest offset handled. */
  readonly last: string
  /** The resume offset, where the replay begins; null when no batch is needed again. */
  readonly resume: string | null
  /** The handler's own data. */
  readonly more?: unknown
}

const positionOf = (metadata: string): Position | undefined => {
  try {
    const { last, resume, more } = JSON.parse(metadata) as Partial<Position>
    const isOffset = (value: unknown): value is string => typeof value === 'string' && /^\d+$/.test(value)
    return isOffset(last) && (resume === null || isOffset(resume)) ? { last, resume, more } : undefined
  } catch {
    return undefined
  }
}

export class Replay {
  #last: bigint | undefined
  #restored: Position | undefined
  #unreadable: string | undefined
  /** Outputs of batches up to this offset were published before the restart. */
  #publishedUntil = -1n

  /**
   * Call it before each batch.
   * @returns true when the batch only rebuilds state: its outputs were published before the restart
   */
  begin({ topic, partition, offset, log }: Context): boolean {
    if (this.#unreadable !== undefined) {
      const message = 'cannot read the committed metadata, starting without the earlier state'
      log.warn({ topic, partition, metadata: this.#unreadable }, message)
      this.#unreadable = undefined
    }
    if (this.#restored !== undefined) {
      const { last, resume } = this.#restored
      this.#restored = undefined
      if (resume !== null && offset === BigInt(resume)) {
        this.#publishedUntil = BigInt(last)
        this.#last = this.#publishedUntil
      } else if (resume !== null) {
        const message = 'the topic no longer has the batches to rebuild state from, starting without the earlier state'
        log.warn({ topic, partition, resume, offset: String(offset) }, message)
      }
    }
    if (this.#last === undefined || offset > this.#last) this.#last = offset
    return offset <= this.#publishedUntil
  }

  checkpoint(resumeOffset: bigint | undefined, more?: unknown): Checkpoint {
    if (this.#last === undefined) return { resumeOffset, metadata: '' }
    const position: Position = {
      last: String(this.#last),
      resume: resumeOffset === undefined ? null : String(resumeOffset),
      more
    }
    return { resumeOffset, metadata: JSON.stringify(position) }
  }

  /**
   * @param metadata of the last checkpoint; empty when there was none
   * @returns the handler's own data, which the handler must check: another version may have written it
   */
  restore(metadata: string): unknown {
    if (metadata === '') return undefined
    this.#restored = positionOf(metadata)
    if (this.#restored === undefined) this.#unreadable = metadata
    return this.#restored?.more
  }
}
