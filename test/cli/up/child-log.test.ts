import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ChildLog, noteworthy } from '../../../cli/up/child-log.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

test('warnings, errors and lines that are not of pino are shown', () => {
  assert.equal(noteworthy('{"level":30,"msg":"ready"}'), undefined)
  assert.equal(noteworthy('{"level":40,"msg":"slow"}'), 'slow')
  assert.equal(noteworthy('{"level":50,"msg":"retry","component":"kafkajs"}'), undefined)
  assert.equal(noteworthy('Segmentation fault'), 'Segmentation fault')
  assert.equal(noteworthy('{half'), '{half')
  assert.equal(noteworthy(''), undefined)
})

test('every byte goes to the file, and a message is shown when its line is complete', (t) => {
  const notes: string[] = []
  const log = new ChildLog(temporaryDirectory(t, 'log'), 'edge', (text) => notes.push(text))
  log.write(Buffer.from('{"level":50,"msg":"dis'))
  assert.deepEqual(notes, [])
  log.write(Buffer.from('k full"}\n{"level":30,"msg":"x"}\n'))
  assert.deepEqual(notes, ['disk full'])
  assert.equal(readFileSync(log.path, 'utf8'), '{"level":50,"msg":"disk full"}\n{"level":30,"msg":"x"}\n')
  log.close()
})

test('the file is bounded: only the previous one is kept', (t) => {
  const log = new ChildLog(temporaryDirectory(t, 'log'), 'edge', () => {})
  const chunk = Buffer.alloc(4 << 20, 'x')
  for (let i = 0; i < 7; i++) log.write(chunk)
  log.close()
  assert.equal(readFileSync(log.path).length, 4 << 20)
  assert.equal(readFileSync(`${log.path}.1`).length, 8 << 20)
  assert.equal(existsSync(`${log.path}.2`), false)
})
