import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ChildLog, noteworthy } from '../../../cli/up/child-log.ts'
import { temporaryDirectory } from '../../support/ringside.ts'
import { mountSmallDisk, smallDiskMissing } from '../../support/small-disk.ts'

test('warnings, errors and lines that are not of pino are shown', () => {
  assert.equal(noteworthy('{"level":30,"msg":"ready"}'), undefined)
  assert.equal(noteworthy('{"level":40,"msg":"slow"}'), 'slow')
  assert.equal(noteworthy('{"level":50,"msg":"retry","component":"kafkajs"}'), undefined)
  assert.equal(noteworthy('Segmentation fault'), 'Segmentation fault')
  assert.equal(noteworthy('{half'), '{half')
  assert.equal(noteworthy(''), undefined)
})

test('every line goes to the file, and a message is shown when its line is complete', (t) => {
  const notes: string[] = []
  const log = new ChildLog(temporaryDirectory(t, 'log'), 'edge', (text) => notes.push(text))
  log.write(Buffer.from('{"level":50,"msg":"dis'))
  assert.deepEqual(notes, [])
  log.write(Buffer.from('k full"}\n{"level":30,"msg":"x"}\nAbor'))
  assert.deepEqual(notes, ['disk full'])
  log.close()
  assert.equal(readFileSync(log.path, 'utf8'), '{"level":50,"msg":"disk full"}\n{"level":30,"msg":"x"}\nAbor\n')
})

test('lines in the file are printable', (t) => {
  const log = new ChildLog(temporaryDirectory(t, 'log'), 'edge', () => {})
  log.write(Buffer.from('died in \u001b[2Jx\u202e\r\n'))
  log.write(Buffer.from([0xff, 0x0a]))
  log.close()
  assert.equal(readFileSync(log.path, 'utf8'), 'died in \\x1b[2Jx\\u{202e}\\x0d\n\ufffd\n')
})

test('the file is bounded: only the previous one is kept, also without line breaks', (t) => {
  const log = new ChildLog(temporaryDirectory(t, 'log'), 'edge', () => {})
  const chunk = Buffer.alloc(4 << 20, 'x')
  for (let i = 0; i < 7; i++) log.write(chunk)
  log.close()
  const sizes = [log.path, `${log.path}.1`].map((path) => readFileSync(path).length)
  for (const size of sizes) assert.ok(size > 0 && size <= 10 << 20, String(size))
  assert.equal(existsSync(`${log.path}.2`), false)
})

test('a full disk is reported once and loses lines, and the file is written again when there is room', {
  skip: smallDiskMissing()
}, (t) => {
  let nowMs = 1_000_000
  t.mock.method(performance, 'now', () => nowMs)
  const disk = mountSmallDisk(t, 1 << 20)
  const notes: string[] = []
  const log = new ChildLog(join(disk.folder, 'logs'), 'edge', (text) => notes.push(text))
  const line = (text: string): Buffer => Buffer.from(`{"level":30,"msg":"${text}"}\n`)
  log.write(line('before'))
  disk.fill()
  for (let i = 0; i < 1000; i++) log.write(line('x'.repeat(100)))
  assert.equal(notes.length, 1)
  assert.match(notes[0] as string, /cannot write to .*edge\.log, continuing without it until that works: ENOSPC/)
  nowMs += 6000
  log.write(line(`still full ${'x'.repeat(9000)}`))
  assert.equal(notes.length, 1)
  disk.empty()
  nowMs += 6000
  log.write(line('after'))
  log.close()
  assert.match(notes[1] as string, /writing to .*edge\.log again; it lacks 9\d\d lines/)
  const lines = readFileSync(log.path, 'utf8').trimEnd().split('\n')
  assert.deepEqual([JSON.parse(lines[0] as string).msg, JSON.parse(lines.at(-1) as string).msg], ['before', 'after'])
  for (const each of lines) JSON.parse(each)
})
