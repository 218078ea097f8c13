// Raw events to rows of a batch's table of stacks: one for each distinct place that calls were made from. What a stack
// means is asked for once, as long as its process runs the same program.
import { LRUCache } from 'lru-cache'
import type { Stack } from '../../wire/types.ts'
import type { Symbolizer } from '../go/symbolizer.ts'
import { eventField as field, type RawEvents } from '../source/raw-event.ts'

/** About 700 bytes each: at most 12 MB. Beyond it they are asked for again, nothing is lost. */
const maxStacks = 16_384

/** Of one place; stacks that lead to it share it. */
interface Place {
  readonly stack: Stack
  batch: number
  index: number
}

interface Entry {
  readonly program: number
  readonly words: readonly number[]
  /** undefined: the program does not tell. */
  readonly place: Place | undefined
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
  readonly #places = new WeakMap<Stack, Place>()
  readonly #symbolizer: Symbolizer | undefined

  /** @param symbolizer undefined: no stack is told */
  constructor(symbolizer?: Symbolizer) {
    this.#symbolizer = symbolizer
  }

  /**
   * Where the call of an event that has a stack was made from.
   * @param record offset of the event in raw
   * @param program number of the program that its process runs
   * @param batch number of the open batch; grows
   * @param rows the batch's table, to which a place new to it is added
   * @returns index of the place in rows; -1 when it is not known
   */
  indexOf(raw: RawEvents, record: number, program: number, batch: number, rows: Stack[]): number {
    const words = this.#symbolizer === undefined ? [] : raw.stackWords(record)
    if (words.length === 0) return -1
    const hash = hashOf(program, words)
    let entry = this.#entries.get(hash)
    // Two stacks of one hash take turns.
    if (entry === undefined || !isSame(entry, program, words)) {
      const stack = this.#resolve(raw, record, words)
      if (stack === undefined) return -1
      const place = stack.go_function === null ? undefined : this.#placeOf(stack)
      entry = { program, words, place }
      this.#entries.set(hash, entry)
    }
    const { place } = entry
    if (place === undefined) return -1
    if (place.batch !== batch) {
      place.batch = batch
      place.index = rows.push(place.stack) - 1
    }
    return place.index
  }

  #resolve(raw: RawEvents, record: number, words: readonly number[]): Stack | undefined {
    const addresses = Array.from({ length: words.length / 2 }, (_, i) => {
      return (words[2 * i + 1] as number) * 0x1_0000_0000 + (words[2 * i] as number)
    })
    return this.#symbolizer?.resolve(raw.i32(record + field.pid), raw.startNs(record), addresses)
  }

  #placeOf(stack: Stack): Place {
    const known = this.#places.get(stack)
    if (known !== undefined) return known
    const place = { stack, batch: 0, index: 0 }
    this.#places.set(stack, place)
    return place
  }
}
