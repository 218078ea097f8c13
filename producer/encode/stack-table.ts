// Rows of a batch's stack table, one for each distinct source location. Each stack of a program is resolved once.
import { LRUCache } from 'lru-cache'
import type { Stack } from '../../wire/types.ts'
import type { Symbolizer } from '../go/symbolizer.ts'
import type { RawEvents } from '../source/raw-events.ts'
import type { NumberedProgram } from './process-table.ts'

/** About 700 bytes each: at most 12 MB. Evicted stacks are resolved again. */
const maxStacks = 16_384

/** Shared by all stacks that resolve to the location. */
interface Location {
  readonly row: Stack
  batch: number
  index: number
}

interface Entry {
  readonly program: number
  readonly words: readonly number[]
  /** undefined when the program has no function for the stack. */
  readonly location: Location | undefined
}

const hashOf = (program: number, words: readonly number[]): number => {
  let hash = 0
  for (const word of [program, ...words]) {
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}

const isSame = (entry: Entry, program: number, words: readonly number[]): boolean =>
  entry.program === program && entry.words.length === words.length && words.every((word, i) => word === entry.words[i])

export class StackTable {
  readonly #entries = new LRUCache<number, Entry>({ max: maxStacks })
  readonly #locations = new WeakMap<Stack, Location>()
  readonly #symbolizer: Symbolizer | undefined

  /** @param symbolizer undefined disables stacks */
  constructor(symbolizer?: Symbolizer) {
    this.#symbolizer = symbolizer
  }

  /**
   * Returns the index of an event's location in `rows`, and adds a row unless the batch has it.
   * @param record offset of an event with a stack in raw
   * @param program of the event's process
   * @param batch number of the open batch
   * @param rows the stack table of the open batch
   * @returns -1 without a known location
   */
  indexOf(raw: RawEvents, record: number, program: NumberedProgram, batch: number, rows: Stack[]): number {
    const words = this.#symbolizer === undefined ? [] : raw.stackWords(record)
    if (words.length === 0) return -1
    const hash = hashOf(program.number, words)
    let entry = this.#entries.get(hash)
    // Two stacks with the same hash evict each other.
    if (entry === undefined || !isSame(entry, program.number, words)) {
      const row = this.#resolve(program, words)
      if (row === undefined) return -1
      const location = row.go_function === null ? undefined : this.#locationOf(row)
      entry = { program: program.number, words, location }
      this.#entries.set(hash, entry)
    }
    const { location } = entry
    if (location === undefined) return -1
    if (location.batch !== batch) {
      location.batch = batch
      location.index = rows.push(location.row) - 1
    }
    return location.index
  }

  #resolve(program: NumberedProgram, words: readonly number[]): Stack | undefined {
    const addresses = Array.from({ length: words.length / 2 }, (_, i) => {
      return (words[2 * i + 1] as number) * 0x1_0000_0000 + (words[2 * i] as number)
    })
    return this.#symbolizer?.resolve(program, addresses)
  }

  #locationOf(row: Stack): Location {
    const known = this.#locations.get(row)
    if (known !== undefined) return known
    const location = { row, batch: 0, index: 0 }
    this.#locations.set(row, location)
    return location
  }
}
