// What a stateful handler needs to be restarted: it asks for batches again from the earliest that its
// state came from, and recognises by offset which of them had their outputs published before.
import type { Checkpoint, Context } from '../handler.ts'

interface Position {
  /** The highest offset handled. */
  readonly last: string
  /** The earliest offset asked for, where the replay begins; null when no batch is needed again. */
  readonly hold: string | null
  /** What else the handler keeps. */
  readonly more?: unknown
}

const positionOf = (metadata: string): Position | undefined => {
  try {
    const { last, hold, more } = JSON.parse(metadata) as Partial<Position>
    const isOffset = (value: unknown): value is string => typeof value === 'string' && /^\d+$/.test(value)
    return isOffset(last) && (hold === null || isOffset(hold)) ? { last, hold, more } : undefined
  } catch {
    return undefined
  }
}

/** The highest offset that was handled when this was committed; undefined when it is not told. */
export const handledUntil = (metadata: string): bigint | undefined => {
  const position = positionOf(metadata)
  return position === undefined ? undefined : BigInt(position.last)
}

export class Replay {
  #last: bigint | undefined
  #restored: Position | undefined
  #unreadable: string | undefined
  /** Outputs of batches up to this offset were published before. */
  #publishedUntil = -1n

  /**
   * Before each batch.
   * @returns true when the batch only rebuilds state: what comes of it was published before the restart
   */
  begin({ topic, partition, offset, log }: Context): boolean {
    if (this.#unreadable !== undefined) {
      log.warn({ topic, partition, metadata: this.#unreadable }, 'committed metadata is not ours: starting without it')
      this.#unreadable = undefined
    }
    if (this.#restored !== undefined) {
      const { last, hold } = this.#restored
      this.#restored = undefined
      if (hold !== null && offset === BigInt(hold)) {
        this.#publishedUntil = BigInt(last)
        this.#last = this.#publishedUntil
      } else if (hold !== null) {
        log.warn({ topic, partition, hold, offset: String(offset) }, 'batches to rebuild state from are gone')
      }
    }
    if (this.#last === undefined || offset > this.#last) this.#last = offset
    return offset <= this.#publishedUntil
  }

  checkpoint(holdOffset: bigint | undefined, more?: unknown): Checkpoint {
    if (this.#last === undefined) return { holdOffset, metadata: '' }
    const position: Position = {
      last: String(this.#last),
      hold: holdOffset === undefined ? null : String(holdOffset),
      more
    }
    return { holdOffset, metadata: JSON.stringify(position) }
  }

  /**
   * @param metadata what a checkpoint had; empty when there was none
   * @returns what the handler kept in it, to be checked: another version may have written it
   */
  restore(metadata: string): unknown {
    if (metadata === '') return undefined
    this.#restored = positionOf(metadata)
    if (this.#restored === undefined) this.#unreadable = metadata
    return this.#restored?.more
  }
}
