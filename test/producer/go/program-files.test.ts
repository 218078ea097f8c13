import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { GoProgram } from '../../../producer/go/go-program.ts'
import { ProgramFiles } from '../../../producer/go/program-files.ts'
import { buildGo, goMissing } from '../../support/go.ts'

const folder = join(import.meta.dirname, 'programs', 'calls')

const readNow = async (files: ProgramFiles, path: string): Promise<GoProgram | undefined> =>
  files.read(path, await files.nameOf(path))

test('a file that is no Go program, or a damaged one, has no program', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const files = new ProgramFiles(() => {})
  const contents = [Buffer.alloc(0), Buffer.from('#!/bin/sh\n'), Buffer.from(`7f454c460201${'ff'.repeat(200)}`, 'hex')]
  for (const [i, content] of contents.entries()) {
    const path = join(dir, String(i))
    writeFileSync(path, content)
    assert.equal(await readNow(files, path), undefined)
  }
  assert.equal(await readNow(files, process.execPath), undefined)
  await assert.rejects(readNow(files, join(dir, 'missing')), { code: 'ENOENT' })
})

test('a program is read once and evicted when another needs its room', {
  skip: goMissing,
  timeout: 120_000
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const built = buildGo(folder, 'rs-go-calls', 'plain')
  const [first, second] = [join(dir, 'first'), join(dir, 'second')]
  for (const path of [first, second]) copyFileSync(built, path)
  const room = (await readNow(new ProgramFiles(() => {}), first))?.table.bytes
  const evicted: GoProgram[] = []
  const files = new ProgramFiles((program) => evicted.push(program), room)
  const program = await readNow(files, first)
  assert.ok(program !== undefined)
  assert.equal(await readNow(files, first), program)
  assert.notEqual(await readNow(files, second), program)
  assert.deepEqual(evicted, [program])
})
