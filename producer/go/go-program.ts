// A Go program's file to its table of functions: finds .gopclntab, and through the linker's moduledata where the text
// begins and where the trees of inlined calls are. Reads only these parts, each within a bound.
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
  type TablePlace
} from './elf.ts'
import { PclnTable, readTableHeader, type TableHeader, tableHeaderBytes } from './pclntab.ts'

export interface GoProgram {
  readonly table: PclnTable
  /** Of a position-independent executable the lowest address of its code as linked; undefined: it is where it was linked. */
  readonly lowestCode: number | undefined
}

/** Bound on the bytes read of one executable. The table of a program of 60,000 functions has 14 MB. */
export const maxProgramBytes = 64 << 20
const maxHeaders = 4096

/** Sections that may hold .gopclntab: of position-independent executables the linker writes to it. */
const tableNames: readonly string[] = ['.gopclntab', '.data.rel.ro.gopclntab']
/** Where moduledata is, before it had a section of its own. */
const dataNames: readonly string[] = ['.noptrdata', '.data', '.data.rel.ro']

/** Fields of runtime.moduledata, runtime/symtab.go: pclntab's names, text, and gofunc by the version of Go. */
const field = { names: 8, text: 176, gofuncBefore120: 304, gofuncBefore127: 320, gofunc: 344 } as const

/** Reads parts of a file, no more of it in all than a program may take. */
class PartReader {
  readonly #file: FileHandle
  #left = maxProgramBytes

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** @throws RangeError when the file has no such part, or it is beyond the bound */
  async read(offset: number, bytes: number): Promise<Buffer> {
    this.#left -= bytes
    if (this.#left < 0) throw new RangeError(`an executable of which more than ${maxProgramBytes} bytes are needed`)
    const buffer = Buffer.allocUnsafeSlow(bytes)
    const { bytesRead } = await this.#file.read(buffer, 0, bytes, offset)
    if (bytesRead < bytes) throw new RangeError(`${bytes} bytes at ${offset} go beyond the executable's end`)
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
    const readTable = ({ offset, count, entryBytes }: TablePlace) => parts.read(offset, count * entryBytes)
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

  /** The pointer at an address, as linked; undefined when the file does not have it. */
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

/** Addresses that moduledata may be at: its first field points to the table. */
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

/** From go:func.* to the end of the section that it is in. */
const readFunctionData = async (elf: ElfFile, module: number, isBefore120: boolean): Promise<Buffer | undefined> => {
  const places = isBefore120 ? [field.gofuncBefore120] : [field.gofunc, field.gofuncBefore127]
  for (const place of places) {
    const address = (await elf.pointerAt(module + place)) ?? 0
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
 * Reads what a Go program knows of its functions.
 * @returns undefined when it is no Go program of 1.18 or later, or its tables are damaged or beyond all bounds
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
