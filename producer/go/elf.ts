// Parses 64-bit ELF files in this machine's byte order, as far as Go programs need it (elf(5)): segments, sections, and
// relocations that fill in pointers. Works on bytes in memory and reads no file.

export const elfHeaderBytes = 64

export interface ElfHeader {
  /** ET_DYN: a position-independent executable, loaded at any address. */
  readonly isRelocatable: boolean
  readonly segments: TableExtent
  readonly sections: TableExtent
  /** Index of the section with the section names. */
  readonly names: number
}

export interface TableExtent {
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
  /** Address in memory; 0 when it is not loaded. */
  readonly address: number
  readonly offset: number
  readonly bytes: number
  /** SHT_NOBITS: it has no bytes in the file. */
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

/**
 * @param bytes the file's first 64
 * @returns undefined when this is no ELF file of that kind
 */
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

const rows = ({ count, entryBytes }: TableExtent): number[] => Array.from({ length: count }, (_, i) => i * entryBytes)

/**
 * @param bytes the table of segments
 * @returns the loaded ones
 */
export const readSegments = (bytes: Buffer, extent: TableExtent): Segment[] =>
  rows(extent)
    .filter((at) => bytes.readUInt32LE(at) === ptLoad)
    .map((at) => ({
      isExecutable: (bytes.readUInt32LE(at + 4) & pfExecute) !== 0,
      offset: word(bytes, at + 8),
      address: word(bytes, at + 16),
      fileBytes: word(bytes, at + 32)
    }))

/**
 * @param bytes the table of sections
 * @param names the section with the section names
 */
export const readSections = (bytes: Buffer, extent: TableExtent, names: Buffer): Section[] =>
  rows(extent).map((at) => ({ ...readSection(bytes, at), name: nameIn(names, bytes.readUInt32LE(at)) }))

/** Parses one row of the table of sections. */
export const readSection = (bytes: Buffer, at: number): Omit<Section, 'name'> => ({
  isEmpty: bytes.readUInt32LE(at + 4) === shtNobits,
  address: word(bytes, at + 16),
  offset: word(bytes, at + 24),
  bytes: word(bytes, at + 32)
})

const nameIn = (names: Buffer, at: number): string => names.toString('latin1', at, Math.max(at, names.indexOf(0, at)))

/** The pointers that the loader fills in, with their values for a program loaded at its linked address. */
export class Relocations {
  readonly #bytes: Buffer

  /** @param bytes the section .rela.dyn, or .rela as Go's linker names it */
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** The value of the pointer at an address; undefined when the loader does not fill it in. */
  at(address: number): number | undefined {
    for (const at of this.#relative()) if (word(this.#bytes, at) === address) return word(this.#bytes, at + 16)
    return undefined
  }

  /** Addresses of the pointers with this value. */
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
