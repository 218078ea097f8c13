// What is counted apart, and tables that find it by an integer hash.
import type { Process } from '../../wire/types.ts'

/** A call, of one process or (with pid 0) of all of a workload's, at will of one Go function of it. */
export interface Key {
  readonly workload: string
  readonly pid: number
  readonly startUs: number
  readonly goFunction: string | null
  /** Of the call, as callNames gives it. */
  readonly code: number
}

/** What stands for all keys beyond a bound. */
export const others = 'other'

const hashOfText = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** A process has one workload at a time, and few in its life. */
const hashOf = ({ workload, pid, startUs, goFunction, code }: Key): number => {
  let hash = Math.imul(pid, 0x9e3779b1) ^ Math.imul(startUs | 0, 0x85ebca6b) ^ Math.imul(code + 1, 0xc2b2ae35)
  if (pid === 0) hash ^= hashOfText(workload)
  if (goFunction !== null) hash ^= Math.imul(hashOfText(goFunction), 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}

const isSame = (a: Key, b: Key): boolean =>
  a.pid === b.pid &&
  a.startUs === b.startUs &&
  a.code === b.code &&
  a.goFunction === b.goFunction &&
  a.workload === b.workload

/** Entries in the order in which they came, each key once. */
export class KeyTable<Entry extends { readonly key: Key }> {
  readonly entries: Entry[] = []
  /** Open addressing, at most half full: index into entries + 1, or 0. */
  #slots = new Int32Array(16)

  find(key: Key): Entry | undefined {
    const mask = this.#slots.length - 1
    let slot = hashOf(key) & mask
    for (let at = this.#slots[slot] as number; at !== 0; at = this.#slots[slot] as number) {
      const entry = this.entries[at - 1] as Entry
      if (isSame(entry.key, key)) return entry
      slot = (slot + 1) & mask
    }
    return undefined
  }

  /** @param entry of a key that the table does not have */
  add(entry: Entry): Entry {
    const index = this.entries.push(entry)
    if (index * 2 > this.#slots.length) this.#rebuild(this.#slots.length * 2)
    else this.#place(entry, index)
    return entry
  }

  keepOnly(wanted: (entry: Entry) => boolean): void {
    const kept = this.entries.filter(wanted)
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

/** A table of at most so many keys; those beyond are one entry for each call. */
export class BoundedTable<Entry extends { readonly key: Key }> {
  readonly #max: number
  readonly #create: (key: Key, process: Process | undefined) => Entry
  readonly #table = new KeyTable<Entry>()
  #others = 0

  /** @param create is given the process of a key's first call; none for the entry of the others */
  constructor(max: number, create: (key: Key, process: Process | undefined) => Entry) {
    this.#max = max
    this.#create = create
  }

  get entries(): readonly Entry[] {
    return this.#table.entries
  }

  /** The entry of a key, or beyond the bound that of the others. */
  of(key: Key, process: Process): Entry {
    const known = this.#table.find(key)
    if (known !== undefined) return known
    const hasRoom = this.#table.entries.length - this.#others < this.#max
    return hasRoom ? this.#table.add(this.#create(key, process)) : this.otherOf(key.code)
  }

  /** The entry of all others of a call. */
  otherOf(code: number): Entry {
    const key: Key = { workload: others, pid: 0, startUs: 0, goFunction: null, code }
    const known = this.#table.find(key)
    if (known !== undefined) return known
    this.#others++
    return this.#table.add(this.#create(key, undefined))
  }
}
