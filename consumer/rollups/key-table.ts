// A hash table of entries by key, in the order of their insertion. Keys are hashed to integers: a string key for each
// call would cost more than its recording.
import { hashOf, isSameKey, type Key } from './key.ts'

export class KeyTable<Entry extends { readonly key: Key }> {
  readonly entries: Entry[] = []
  /** Open addressing, at most half full: 1 + the index into entries; 0 for an empty slot. */
  #slots = new Int32Array(16)

  find(key: Key): Entry | undefined {
    const mask = this.#slots.length - 1
    let slot = hashOf(key) & mask
    for (let at = this.#slots[slot] as number; at !== 0; at = this.#slots[slot] as number) {
      const entry = this.entries[at - 1] as Entry
      if (isSameKey(entry.key, key)) return entry
      slot = (slot + 1) & mask
    }
    return undefined
  }

  /** @param entry with a key that the table does not have */
  add(entry: Entry): Entry {
    const index = this.entries.push(entry)
    if (index * 2 > this.#slots.length) this.#rebuild(this.#slots.length * 2)
    else this.#place(entry, index)
    return entry
  }

  keepOnly(isKept: (entry: Entry) => boolean): void {
    const kept = this.entries.filter(isKept)
    if (kept.length === this.entries.length) return
    this.entries.length = 0
    for (const entry of kept) this.entries.push(entry)
    let size = 16
    while (size < kept.length * 2) size *= 2
    this.#rebuild(size)
  }

  #rebuild(size: number): void {
    this.#slots = new Int32Array(size)
    for (const [i, entry] of this.entries.entries()) this.#place(entry, i + 1)
  }

  #place({ key }: Entry, index: number): void {
    const mask = this.#slots.length - 1
    let slot = hashOf(key) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = index
  }
}
