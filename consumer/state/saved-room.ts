// Room for a handler's own state in the metadata of a checkpoint, where it is JSON.
import { maxMetadataBytes } from '../handler.ts'

/** The rest of the metadata has the offsets and the names of its fields. */
const maxSavedBytes = maxMetadataBytes - 196

export class SavedRoom {
  #bytes = maxSavedBytes

  /** Reserves room for a value; false when it does not fit. */
  reserve(value: unknown): boolean {
    const bytes = Buffer.byteLength(JSON.stringify(value)) + 1
    if (bytes > this.#bytes) return false
    this.#bytes -= bytes
    return true
  }
}
