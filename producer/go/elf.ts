// An ELF file of 64 bits in this machine's byte order, as far as a Go program needs it (elf(5)): segments, sections,
// and relocations that say what a pointer will be. Bytes come in, nothing is read.

export const elfHeaderBytes = 64

export interface ElfHeader {
  /** ET_DYN: loaded anywhere, as position-independent executables are. */
  readonly isRelocatable: boolean
  readonly segments: TablePlace
  readonly sections: TablePlace
  /** Index of the section that has the names of all. */
  readonly names: number
}

export interface TablePlace {
  readonly offset: number
  readonly count: number
  readonly entryBytes: number
}

export interface Segment {
  readonly isExecutable: boolean
  readonly offset: number
  readonly address: number
  readonly fileBytes: number
}

export interface Section {
  readonly name: string
  /** In memory; 0 when it is not loaded. */
  readonly address: number
  readonly offset: number
  readonly bytes: number
  /** SHT_NOBITS: nothing of it is in the file. */
  readonly isEmpty: boolean
}

const ptLoad = 1
const pfExecute = 1
const etDyn = 3
const shtNobits = 8
const relocationBytes = 24
/** R_X86_64_RELATIVE and R_AARCH64_RELATIVE: base + addend. */
const relativeTypes: readonly number[] = [8, 1027]

const word = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32

/** @param bytes the file's first 64; undefined when this is no such file */
export const readElfHeader = (bytes: Buffer): ElfHeader | undefined => {
  const isElf64 = bytes.length >= elfHeaderBytes && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2
  if (!isElf64 || bytes[5] !== 1) return undefined
  return {
    isRelocatable: bytes.readUInt16LE(16) === etDyn,
    segments: { offset: word(bytes, 32), count: bytes.readUInt16LE(56), entryBytes: bytes.readUInt16LE(54) },
    sections: { offset: word(bytes, 40), count: bytes.readUInt16LE(60), entryBytes: bytes.readUInt16LE(58) },
    names: bytes.readUInt16LE(62)
  }
}

const rows = ({ count, entryBytes }: TablePlace): number[] => Array.from({ length: count }, (_, i) => i * entryBytes)

/** @param bytes the table of segments; those that are loaded */
export const readSegments = (bytes: Buffer, place: TablePlace): Segment[] =>
  rows(place)
    .filter((at) => bytes.readUInt32LE(at) === ptLoad)
    .map((at) => ({
      isExecutable: (bytes.readUInt32LE(at + 4) & pfExecute) !== 0,
      offset: word(bytes, at + 8),
      address: word(bytes, at + 16),
      fileBytes: word(bytes, at + 32)
    }))

/**
 * @param bytes the table of sections
 * @param names the section that has their names
 */
export const readSections = (bytes: Buffer, place: TablePlace, names: Buffer): Section[] =>
  rows(place).map((at) => ({ ...readSection(bytes, at), name: nameIn(names, bytes.readUInt32LE(at)) }))

/** One row of the table of sections. */
export const readSection = (bytes: Buffer, at: number): Omit<Section, 'name'> => ({
  isEmpty: bytes.readUInt32LE(at + 4) === shtNobits,
  address: word(bytes, at + 16),
  offset: word(bytes, at + 24),
  bytes: word(bytes, at + 32)
})

const nameIn = (names: Buffer, at: number): string => names.toString('latin1', at, Math.max(at, names.indexOf(0, at)))

/** Pointers that a loader fills in: what they hold when the program is loaded where it was linked. */
export class Relocations {
  readonly #bytes: Buffer

  /** @param bytes the section .rela.dyn, or .rela as the linker of Go names it */
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** What the pointer at an address holds; undefined when no loader fills it in. */
  at(address: number): number | undefined {
    for (const at of this.#relative()) if (word(this.#bytes, at) === address) return word(this.#bytes, at + 16)
    return undefined
  }

  /** Addresses of the pointers that hold a value. */
  to(value: number): number[] {
    const found: number[] = []
    for (const at of this.#relative()) if (word(this.#bytes, at + 16) === value) found.push(word(this.#bytes, at))
    return found
  }

  *#relative(): Generator<number> {
    for (let at = 0; at + relocationBytes <= this.#bytes.length; at += relocationBytes) {
      if (relativeTypes.includes(this.#bytes.readUInt32LE(at + 8))) yield at
    }
  }
}
