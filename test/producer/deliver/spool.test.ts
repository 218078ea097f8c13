// The spool on disks that fail, and files that are not what they should be: it never throws.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import pino from 'pino'
import { Spool } from '../../../producer/deliver/spool.ts'
import type { SpoolableBatch } from '../../../producer/deliver/spool-file.ts'
import { headOf } from '../../support/batch-heads.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const pathIn = (t: TestContext): string => join(temporaryDirectory(t, 'spool'), 'edge', 'spool.sqlite')

const open = (t: TestContext, path: string, run = 'run'): { spool: Spool; lines: string[] } => {
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) })
  const spool = new Spool({ path, maxBytes: 16 << 20, run, log })
  t.after(() => spool.close())
  return { spool, lines }
}

const batch = (number: number, bytes = 1000, run = 'run'): SpoolableBatch => ({
  head: headOf({ run, batch: number }),
  value: Buffer.alloc(bytes, number),
  byClass: [0, 0, 0, 10],
  summaries: 0,
  sent: false
})

test('batches of an earlier run are named in the log, and are no part of the account', (t) => {
  const path = pathIn(t)
  const before = open(t, path)
  before.spool.add([batch(1), batch(2)])
  assert.deepEqual(before.spool.account.waiting, [0, 0, 0, 20])
  before.spool.close()
  const { spool, lines } = open(t, path, 'next')
  assert.match(lines.join(), /2 batches of earlier runs wait in .*spool\.sqlite: they go first/)
  assert.deepEqual(spool.account.waiting, [0, 0, 0, 0])
  spool.add([batch(1, 1000, 'next')])
  const group = spool.head(Infinity, Infinity)
  assert.deepEqual(
    group.map(({ run }) => run),
    ['run', 'run', 'next']
  )
  spool.acknowledge(group)
  assert.deepEqual([spool.account.waiting, spool.batches, spool.bytes], [[0, 0, 0, 0], 0, 0])
})

test('what had to give way is counted, by whose it was, and said once', (t) => {
  const path = pathIn(t)
  const before = open(t, path)
  before.spool.add([batch(1, 1 << 20), batch(2, 1 << 20)])
  before.spool.close()
  const { spool, lines } = open(t, path, 'next')
  for (let number = 1; number <= 10; number++) spool.add([batch(number, 1 << 20, 'next')])
  const { waiting, givenUp, earlierGivenUp } = spool.account
  assert.deepEqual([waiting[3], givenUp[3], earlierGivenUp[3]], [70, 30, 20])
  assert.equal(lines.filter((line) => /the spool is full \(edge\.spool\.maxBytes\)/.test(line)).length, 1)
})

test('a file that is no database is moved aside, and a new one begins', (t) => {
  const path = pathIn(t)
  mkdirSync(dirname(path))
  writeFileSync(path, 'not a database, whatever its name says'.repeat(100))
  const { spool, lines } = open(t, path)
  assert.match(lines.join(), /is damaged \(file is not a database\): moved to .*\.corrupt-/)
  assert.equal(spool.add([batch(1)]).count, 1)
  assert.equal(readdirSync(dirname(path)).filter((name) => name.includes('.corrupt-')).length, 1)
})

test('a file that another edge holds is left to it, and nothing is taken', (t) => {
  const path = pathIn(t)
  open(t, path)
  const { spool, lines } = open(t, path)
  assert.match(lines.join(), /cannot be used \(another edge may hold it\): database is locked; .* in memory only/)
  assert.equal(spool.add([batch(1)]).count, 0)
  assert.deepEqual([spool.batches, spool.bytes, spool.head(1, 1)], [0, 0, []])
  assert.equal(lines.length, 1)
})

test('a folder that cannot be made leaves the edge with its memory', (t) => {
  const folder = temporaryDirectory(t, 'spool')
  writeFileSync(join(folder, 'edge'), '')
  const { spool, lines } = open(t, join(folder, 'edge', 'spool.sqlite'))
  assert.match(lines.join(), /cannot be used/)
  assert.equal(spool.add([batch(1)]).count, 0)
})

test('a file that is damaged while it is in use is moved aside, and what it held is counted', async (t) => {
  const path = pathIn(t)
  const { spool, lines } = open(t, path)
  for (let number = 1; number <= 7; number++) spool.add([batch(number, 1 << 20)])
  const inFlight = spool.head(1, 1)
  const { open: openFile } = await import('node:fs/promises')
  for (const name of readdirSync(dirname(path))) {
    const file = await openFile(join(dirname(path), name), 'r+')
    await file.write(Buffer.alloc(8 << 20, 0xaa), 0, undefined, 0)
    await file.close()
  }
  // What SQLite has in its cache hides the damage for a while.
  for (let i = 0; i < 20 && spool.batches > 0; i++) spool.head(Infinity, Infinity)
  assert.match(lines.join(), /is damaged \(.*\): moved to .*\.corrupt-/)
  assert.deepEqual([spool.account.waiting[3], spool.account.unreadable[3]], [0, 70])
  assert.equal(spool.add([batch(8)]).count, 1)
  spool.acknowledge(inFlight)
  assert.deepEqual([spool.account.waiting[3], spool.account.unreadable[3], spool.batches], [10, 60, 1])
})

const noMounts = process.getuid?.() === 0 ? false : 'needs root, to mount a small disk'

test('on a disk that is full batches stay in memory, until there is room again', { skip: noMounts }, async (t) => {
  const disk = mkdtempSync(join(tmpdir(), 'ringside-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], { stdio: 'pipe' })
  } catch (error) {
    rmdirSync(disk)
    t.skip(`cannot mount a small disk: ${String(error)}`)
    return
  }
  // Lazily: hooks run in order, and the spool is closed after this one.
  t.after(() => execFileSync('umount', ['--lazy', disk]))
  t.after(() => rmdirSync(disk))
  const { spool, lines } = open(t, join(disk, 'edge', 'spool.sqlite'))
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(2 << 20))
  let added = 0
  while (spool.add([batch(added + 1, 200_000)]).count === 1) added++
  assert.ok(added > 2 && added < 20, `${added} batches`)
  assert.match(lines.join(), /cannot be written: .*(full|I\/O).*; batches wait in memory, and it is tried again/)
  assert.equal(spool.add([batch(99)]).count, 0, 'not tried before its time')
  assert.equal(lines.length, 1)
  assert.equal(spool.head(Infinity, Infinity).length, added, 'what is there can be read')
  rmSync(join(disk, 'ballast'))
  await new Promise((resolve) => setTimeout(resolve, 5_100))
  assert.equal(spool.add([batch(added + 1, 200_000)]).count, 1)
  assert.match(lines.at(-1) as string, /can be written again/)
  spool.acknowledge(spool.head(Infinity, Infinity))
  assert.deepEqual([spool.batches, spool.account.waiting[3]], [0, 0])
})

test('a process that lost its rights to the folder goes on writing', { skip: noMounts }, async (t) => {
  const path = pathIn(t)
  mkdirSync(dirname(path))
  chmodSync(dirname(path), 0o700)
  const program = `
    import { Spool } from ${JSON.stringify(join(import.meta.dirname, '../../../producer/deliver/spool.ts'))}
    const log = { info() {}, warn(...a) { console.log(...a) }, error(...a) { console.log(...a) } }
    const spool = new Spool({ path: ${JSON.stringify(path)}, maxBytes: 32 << 20, run: 'run', log })
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    const head = ${JSON.stringify(headOf())}
    const batch = () => ({ head, value: Buffer.alloc(900_000, 1), byClass: [0, 0, 0, 1], summaries: 0, sent: false })
    const filled = []
    for (let i = 0; i < 20; i++) filled.push(spool.add([batch()]).count)
    spool.acknowledge(spool.head(Infinity, Infinity))
    for (let i = 0; i < 5; i++) spool.tidy()
    spool.add([batch(), batch()])
    spool.close()
    console.log(filled.every((count) => count === 1))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.equal(output.trim(), 'true')
  assert.equal(open(t, path).spool.batches, 2)
})
