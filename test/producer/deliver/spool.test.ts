// The spool on failing disks and with damaged files: it never throws.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import pino from 'pino'
import { Spool } from '../../../producer/deliver/spool.ts'
import type { SpoolableBatch } from '../../../producer/deliver/spool-file.ts'
import { headerOf } from '../../support/batch-header.ts'
import { temporaryDirectory } from '../../support/ringside.ts'
import { mountSmallDisk, smallDiskMissing } from '../../support/small-disk.ts'

const pathIn = (t: TestContext): string => join(temporaryDirectory(t, 'spool'), 'edge', 'spool.sqlite')

const open = (t: TestContext, path: string, run = 'run'): { spool: Spool; lines: string[] } => {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) })
  const spool = new Spool({ path, maxBytes: 16 << 20, run, log })
  t.after(() => spool.close())
  return { spool, lines }
}

const batch = (number: number, bytes = 1000, run = 'run'): SpoolableBatch => ({
  header: headerOf({ run, batch: number }),
  value: Buffer.alloc(bytes, number),
  byClass: [0, 0, 0, 10],
  summaries: 0,
  sent: false
})

test("batches of an earlier run are logged, and not counted as this run's", (t) => {
  const path = pathIn(t)
  const before = open(t, path)
  before.spool.add([batch(1), batch(2)])
  assert.deepEqual(before.spool.account.spooled, [0, 0, 0, 20])
  before.spool.close()
  const { spool, lines } = open(t, path, 'next')
  assert.match(lines.join(), /2 batches of earlier runs are in spool .*spool\.sqlite, publishing them first/)
  assert.deepEqual(spool.account.spooled, [0, 0, 0, 0])
  spool.add([batch(1, 1000, 'next')])
  const group = spool.oldest(Infinity, Infinity)
  assert.deepEqual(
    group.map(({ run }) => run),
    ['run', 'run', 'next']
  )
  spool.acknowledge(group)
  assert.deepEqual([spool.account.spooled, spool.batches, spool.bytes], [[0, 0, 0, 0], 0, 0])
})

test('evicted events are counted by their run, and the eviction is logged once', (t) => {
  const path = pathIn(t)
  const before = open(t, path)
  before.spool.add([batch(1, 1 << 20), batch(2, 1 << 20)])
  before.spool.close()
  const { spool, lines } = open(t, path, 'next')
  for (let number = 1; number <= 10; number++) spool.add([batch(number, 1 << 20, 'next')])
  const { spooled, evicted, earlierEvicted } = spool.account
  assert.deepEqual([spooled[3], evicted[3], earlierEvicted[3]], [70, 30, 20])
  assert.equal(lines.filter((line) => /the spool is full \(edge\.spool\.maxBytes\)/.test(line)).length, 1)
})

test('a file that is no database is moved aside and replaced', (t) => {
  const path = pathIn(t)
  mkdirSync(dirname(path))
  writeFileSync(path, 'not a database, whatever its name says'.repeat(100))
  const { spool, lines } = open(t, path)
  assert.match(lines.join(), /is damaged \(file is not a database\): moved it to .*\.corrupt-/)
  assert.equal(spool.add([batch(1)]).count, 1)
  assert.equal(readdirSync(dirname(path)).filter((name) => name.includes('.corrupt-')).length, 1)
})

test('a file that another edge uses is left to it, and no batch is taken', (t) => {
  const path = pathIn(t)
  open(t, path)
  const { spool, lines } = open(t, path)
  assert.match(lines.join(), /cannot open spool .*: database is locked \(another edge uses it\); .* in memory only/)
  assert.equal(spool.add([batch(1)]).count, 0)
  assert.deepEqual([spool.batches, spool.bytes, spool.oldest(1, 1)], [0, 0, []])
  assert.equal(lines.length, 1)
})

test('without a folder for the spool the edge goes on with its memory', (t) => {
  const folder = temporaryDirectory(t, 'spool')
  writeFileSync(join(folder, 'edge'), '')
  const { spool, lines } = open(t, join(folder, 'edge', 'spool.sqlite'))
  assert.match(lines.join(), /cannot open spool .*; .* in memory only/)
  assert.equal(spool.add([batch(1)]).count, 0)
})

test('a file that is damaged while in use is moved aside, and its events are counted', async (t) => {
  const path = pathIn(t)
  const { spool, lines } = open(t, path)
  for (let number = 1; number <= 7; number++) spool.add([batch(number, 1 << 20)])
  const inFlight = spool.oldest(1, 1)
  const { open: openFile } = await import('node:fs/promises')
  for (const name of readdirSync(dirname(path))) {
    const file = await openFile(join(dirname(path), name), 'r+')
    await file.write(Buffer.alloc(8 << 20, 0xaa), 0, undefined, 0)
    await file.close()
  }
  // SQLite's cache hides the damage for a while.
  for (let i = 0; i < 20 && spool.batches > 0; i++) spool.oldest(Infinity, Infinity)
  assert.match(lines.join(), /is damaged \(.*\): moved it to .*\.corrupt-/)
  assert.deepEqual([spool.account.spooled[3], spool.account.unreadable[3]], [0, 70])
  assert.equal(spool.add([batch(8)]).count, 1)
  spool.acknowledge(inFlight)
  assert.deepEqual([spool.account.spooled[3], spool.account.unreadable[3], spool.batches], [10, 60, 1])
})

const notRoot = process.getuid?.() === 0 ? false : 'needs root to drop privileges'

test('while the disk is full, batches stay in memory', { skip: smallDiskMissing() }, async (t) => {
  const disk = mountSmallDisk(t, 4 << 20)
  const { spool, lines } = open(t, join(disk.folder, 'edge', 'spool.sqlite'))
  disk.fill(2 << 20)
  let added = 0
  while (spool.add([batch(added + 1, 200_000)]).count === 1) added++
  assert.ok(added > 2 && added < 20, `${added} batches`)
  assert.match(
    lines.join(),
    /cannot write to spool .*, retrying every 5 s: .*(full|I\/O).*; until then batches wait in memory/
  )
  assert.equal(spool.add([batch(99)]).count, 0, 'not retried too early')
  assert.equal(lines.length, 1)
  assert.equal(spool.oldest(Infinity, Infinity).length, added, 'spooled batches can be read')
  disk.empty()
  await new Promise((resolve) => setTimeout(resolve, 5_100))
  assert.equal(spool.add([batch(added + 1, 200_000)]).count, 1)
  assert.match(lines.at(-1) as string, /writing to spool .* again/)
  spool.acknowledge(spool.oldest(Infinity, Infinity))
  assert.deepEqual([spool.batches, spool.account.spooled[3]], [0, 0])
})

test('after the privilege drop, without access to the folder, the spool is still written', {
  skip: notRoot
}, async (t) => {
  const path = pathIn(t)
  mkdirSync(dirname(path))
  chmodSync(dirname(path), 0o700)
  const program = `
    import { Spool } from ${JSON.stringify(join(import.meta.dirname, '../../../producer/deliver/spool.ts'))}
    const log = { info() {}, warn(...a) { console.log(...a) }, error(...a) { console.log(...a) } }
    const spool = new Spool({ path: ${JSON.stringify(path)}, maxBytes: 32 << 20, run: 'run', log })
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    const header = ${JSON.stringify(headerOf())}
    const batch = () => ({ header, value: Buffer.alloc(900_000, 1), byClass: [0, 0, 0, 1], summaries: 0, sent: false })
    const filled = []
    for (let i = 0; i < 20; i++) filled.push(spool.add([batch()]).count)
    spool.acknowledge(spool.oldest(Infinity, Infinity))
    for (let i = 0; i < 5; i++) spool.tidy()
    spool.add([batch(), batch()])
    spool.close()
    console.log(filled.every((count) => count === 1))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.equal(output.trim(), 'true')
  assert.equal(open(t, path).spool.batches, 2)
})
