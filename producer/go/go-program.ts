// Reads the function table of a Go program from its file: .gopclntab, and through the linker's moduledata the start of
// the text and the trees of inlined calls. Reads only these parts, with a bound on their total.
import type { FileHandle } from 'node:fs/promises'
import {
  elfHeaderBytes,
  Relocations,
  readElfHeader,
  readSection,
  readSections,
  readSegments,
  type Section,
  type Segment,
  type TableExtent
} from './elf.ts'
import { PclnTable, readTableHeader, type TableHeader, tableHeaderBytes } from './pclntab.ts'

export interface GoProgram {
  readonly table: PclnTable
  /** Lowest linked address of a position-independent executable's code; undefined: it is loaded where it was linked. */
  readonly lowestCode: number | undefined
}

/** Bound on the bytes read of one executable. The table of a program of 60,000 functions has 14 MB. */
export const maxProgramBytes = 64 << 20
const maxHeaders = 4096

/** Names of the table's section; in position-independent executables the loader writes to it. */
const tableNames: readonly string[] = ['.gopclntab', '.data.rel.ro.gopclntab']
/** Sections that may contain moduledata in programs before it got its own section. */
const dataNames: readonly string[] = ['.noptrdata', '.data', '.data.rel.ro']

/** Offsets in runtime.moduledata (runtime/symtab.go): pclntab's names, text, and gofunc by Go version. */
const field = { names: 8, text: 176, gofuncBefore120: 304, gofuncBefore127: 320, gofunc: 344 } as const

/** Reads parts of a file, up to maxProgramBytes in total. */
class PartReader {
  readonly #file: FileHandle
  #left = maxProgramBytes

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** @throws RangeError when the part is outside of the file or beyond the bound */
  async read(offset: number, bytes: number): Promise<Buffer> {
    this.#left -= bytes
    if (this.#left < 0) throw new RangeError(`the parts of the executable have more than ${maxProgramBytes} bytes`)
    const buffer = Buffer.allocUnsafeSlow(bytes)
    const { bytesRead } = await this.#file.read(buffer, 0, bytes, offset)
    if (bytesRead < bytes) throw new RangeError(`${bytes} bytes at ${offset} are outside of the executable`)
    return buffer
  }
}

class ElfFile {
  readonly #parts: PartReader
  readonly segments: readonly Segment[]
  readonly sections: readonly Section[]
  readonly isRelocatable: boolean
  #relocations: Relocations | undefined

  private constructor(parts: PartReader, isRelocatable: boolean, segments: Segment[], sections: Section[]) {
    this.#parts = parts
    this.isRelocatable = isRelocatable
    this.segments = segments
    this.sections = sections
  }

  static async open(file: FileHandle): Promise<ElfFile | undefined> {
    const parts = new PartReader(file)
    const readTable = ({ offset, count, entryBytes }: TableExtent) => parts.read(offset, count * entryBytes)
    const header = readElfHeader(await parts.read(0, elfHeaderBytes))
    if (header === undefined || header.sections.count > maxHeaders || header.segments.count > maxHeaders) {
      return undefined
    }
    const segments = readSegments(await readTable(header.segments), header.segments)
    const table = await readTable(header.sections)
    if (header.names >= header.sections.count) return undefined
    const names = readSection(table, header.names * header.sections.entryBytes)
    const sections = readSections(table, header.sections, await parts.read(names.offset, names.bytes))
    return new ElfFile(parts, header.isRelocatable, segments, sections)
  }

  section(...names: readonly string[]): Section | undefined {
    return this.sections.find(({ name, isEmpty }) => names.includes(name) && !isEmpty)
  }

  readSection({ offset, bytes }: Section): Promise<Buffer> {
    return this.#parts.read(offset, bytes)
  }

  async relocations(): Promise<Relocations> {
    const section = this.isRelocatable ? this.section('.rela.dyn', '.rela') : undefined
    this.#relocations ??= new Relocations(section === undefined ? Buffer.alloc(0) : await this.readSection(section))
    return this.#relocations
  }

  /** The value of the pointer at a linked address; undefined when the file does not contain it. */
  async pointerAt(address: number): Promise<number | undefined> {
    const filledIn = (await this.relocations()).at(address)
    if (filledIn !== undefined) return filledIn
    const segment = this.segments.find(
      (part) => address >= part.address && address + 8 <= part.address + part.fileBytes
    )
    if (segment === undefined) return undefined
    const bytes = await this.#parts.read(segment.offset + address - segment.address, 8)
    return Number(bytes.readBigUInt64LE())
  }
}

/** Possible addresses of moduledata: its first field points to the table. */
const moduleCandidates = async (elf: ElfFile, table: Section): Promise<number[]> => {
  const own = elf.section('.go.module')
  if (own !== undefined) return [own.address]
  const candidates = (await elf.relocations()).to(table.address)
  const wanted = Buffer.alloc(8)
  wanted.writeBigUInt64LE(BigInt(table.address))
  for (const section of elf.sections.filter(({ name, isEmpty }) => dataNames.includes(name) && !isEmpty)) {
    const bytes = await elf.readSection(section)
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
      if (at % 8 === 0) candidates.push(section.address + at)
    }
  }
  return candidates
}

const findModule = async (elf: ElfFile, table: Section, header: TableHeader): Promise<number | undefined> => {
  for (const address of await moduleCandidates(elf, table)) {
    if ((await elf.pointerAt(address + field.names)) === table.address + header.namesOffset) return address
  }
  return undefined
}

/** The bytes from go:func.* to the end of its section. */
const readFunctionData = async (elf: ElfFile, module: number, isBefore120: boolean): Promise<Buffer | undefined> => {
  const offsets = isBefore120 ? [field.gofuncBefore120] : [field.gofunc, field.gofuncBefore127]
  for (const offset of offsets) {
    const address = (await elf.pointerAt(module + offset)) ?? 0
    const section = elf.sections.find(
      (part) => !part.isEmpty && part.address > 0 && address >= part.address && address < part.address + part.bytes
    )
    if (section !== undefined) return (await elf.readSection(section)).subarray(address - section.address)
  }
  return undefined
}

const read = async (file: FileHandle): Promise<GoProgram | undefined> => {
  const elf = await ElfFile.open(file)
  const section = elf?.section(...tableNames)
  if (elf === undefined || section === undefined || section.bytes < tableHeaderBytes) return undefined
  const table = await elf.readSection(section)
  const header = readTableHeader(table)
  if (header === undefined) return undefined
  const module = await findModule(elf, section, header)
  const textStart = header.textStart || (module === undefined ? undefined : await elf.pointerAt(module + field.text))
  if (textStart === undefined) return undefined
  const functionData = module === undefined ? undefined : await readFunctionData(elf, module, header.isBefore120)
  const code = elf.segments.filter(({ isExecutable }) => isExecutable).map(({ address }) => address)
  return {
    table: new PclnTable({ table, textStart, functionData }),
    lowestCode: elf.isRelocatable ? Math.min(...code) : undefined
  }
}

/**
 * Reads the function table of a Go program.
 * @returns undefined for a file that is no Go program of 1.18 or later, or whose tables are damaged or too large
 * @throws Error of Node when the file cannot be read
 */
export const readGoProgram = async (file: FileHandle): Promise<GoProgram | undefined> => {
  try {
    return await read(file)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
