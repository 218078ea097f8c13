// Compares the function table of a Go program, built here, with the output of Go's own tools.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import { readElfHeader, readSection, readSections } from '../../../producer/go/elf.ts'
import { type GoProgram, readGoProgram } from '../../../producer/go/go-program.ts'
import { PclnTable, readTableHeader } from '../../../producer/go/pclntab.ts'
import { random } from '../../consumer/support/random.ts'
import { buildGo, goMissing, goTool } from '../../support/go.ts'

const folder = join(import.meta.dirname, 'programs', 'calls')
const addresses = 2000

const load = async (path: string): Promise<GoProgram> => {
  const file = await open(path)
  try {
    const program = await readGoProgram(file)
    assert.ok(program !== undefined)
    return program
  } finally {
    await file.close()
  }
}

interface Symbol {
  readonly address: number
  readonly bytes: number
}

/** Functions in the text that Go compiled or assembled. */
const functionsOf = (path: string): Symbol[] =>
  goTool(['nm', '-size', path])
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , type, name = '']) => (type === 'T' || type === 't') && !name.startsWith('runtime.text'))
    .map(([address = '', bytes]) => ({ address: Number.parseInt(address, 16), bytes: Number(bytes) }))

const sectionOf = (path: string, name: string): Buffer => {
  const file = readFileSync(path)
  const header = readElfHeader(file)
  assert.ok(header !== undefined)
  const { offset, count, entryBytes } = header.sections
  const table = file.subarray(offset, offset + count * entryBytes)
  const names = readSection(table, header.names * entryBytes)
  const section = readSections(table, header.sections, file.subarray(names.offset, names.offset + names.bytes)).find(
    (candidate) => candidate.name === name
  )
  assert.ok(section !== undefined)
  return file.subarray(section.offset, section.offset + section.bytes)
}

describe('the function table of a Go program', { skip: goMissing, timeout: 120_000 }, () => {
  it('has the same file, line and outermost function as go tool addr2line', async () => {
    const path = buildGo(folder, 'rs-go-calls', 'plain')
    const { table } = await load(path)
    const functions = functionsOf(path)
    const next = random(1)
    const chosen = Array.from({ length: addresses }, () => {
      const { address, bytes } = functions[Math.floor(next() * functions.length)] as Symbol
      return address + Math.floor(next() * Math.max(1, bytes))
    })
    // Each address once: a differing one must not count several times.
    const asked = [...new Set(chosen)]
    const input = asked.map((address) => `0x${address.toString(16)}\n`).join('')
    const lines = goTool(['addr2line', path], input).trimEnd().split('\n')
    const differing = asked.filter((address, i) => {
      const [name = '', location] = [lines[2 * i], lines[2 * i + 1]]
      const frames = table.framesAt(address)
      const expected = name.replace(/\[.*\]/, '[...]')
      const found = `${frames[0]?.file}:${frames[0]?.line}`
      // Addresses between functions have a symbol or a location in only one of the two.
      return name !== '?' && location !== '?:0' && (frames.at(-1)?.function !== expected || found !== location)
    })
    assert.ok(differing.length <= addresses / 500, `${differing.length} of ${asked.length}: ${differing.slice(0, 5)}`)
  })

  it('is the same in a stripped program', async () => {
    const [plain, stripped] = [
      await load(buildGo(folder, 'rs-go-calls', 'plain')),
      await load(buildGo(folder, 'rs-go-calls', 'stripped', '-ldflags=-s -w'))
    ]
    for (const { address } of functionsOf(buildGo(folder, 'rs-go-calls', 'plain')).slice(0, 500)) {
      assert.deepEqual(stripped.table.framesAt(address), plain.table.framesAt(address))
    }
  })

  it('gives wrong functions or none when it is damaged, never an error', async () => {
    const path = buildGo(folder, 'rs-go-calls', 'plain')
    const functions = functionsOf(path)
    const bytes = sectionOf(path, '.gopclntab')
    const textStart = Math.min(...functions.map(({ address }) => address))
    for (let round = 0; round < 300; round++) {
      const table = Buffer.from(bytes)
      for (let i = 0; i < 2000; i++) table[72 + Math.floor(Math.random() * (table.length - 72))] = Math.random() * 256
      const damaged = new PclnTable({ table, textStart, functionData: table })
      for (let i = 0; i < 20; i++) {
        const { address } = functions[Math.floor(Math.random() * functions.length)] as Symbol
        assert.ok(Array.isArray(damaged.framesAt(address)))
        assert.equal(typeof damaged.isFrameless(address), 'boolean')
      }
    }
  })
})

test('bytes that are no function table are refused', () => {
  assert.equal(readTableHeader(Buffer.alloc(72)), undefined)
  assert.equal(readTableHeader(Buffer.from('f1ffffff', 'hex')), undefined)
  const parts = { table: Buffer.alloc(72), textStart: 0, functionData: undefined }
  assert.throws(() => new PclnTable(parts), RangeError)
})
