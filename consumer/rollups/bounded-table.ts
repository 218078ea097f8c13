// A table with a bound on its keys. Keys beyond the bound share one entry for each call.
import type { Process } from '../../wire/types.ts'
import { type Key, otherKey } from './key.ts'
import { KeyTable } from './key-table.ts'

export class BoundedTable<Entry extends { readonly key: Key }> {
  readonly #maxKeys: number
  readonly #create: (key: Key, process: Process | undefined) => Entry
  readonly #table = new KeyTable<Entry>()
  #otherEntries = 0

  /** @param create gets the process of the key's first call; undefined for a shared entry */
  constructor(maxKeys: number, create: (key: Key, process: Process | undefined) => Entry) {
    this.#maxKeys = maxKeys
    this.#create = create
  }

  get entries(): readonly Entry[] {
    return this.#table.entries
  }

  /** The entry of a key; the shared entry of its call when the table is full. */
  of(key: Key, process: Process): Entry {
    const known = this.#table.find(key)
    if (known !== undefined) return known
    const hasRoom = this.#table.entries.length - this.#otherEntries < this.#maxKeys
    return hasRoom ? this.#table.add(this.#create(key, process)) : this.otherOf(key.code)
  }

  /** The shared entry of a call. */
  otherOf(code: number): Entry {
    const key = otherKey(code)
    const known = this.#table.find(key)
    if (known !== undefined) return known
    this.#otherEntries++
    return this.#table.add(this.#create(key, undefined))
  }
}
