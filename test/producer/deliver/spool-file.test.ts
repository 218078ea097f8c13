import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type SpoolableBatch, SpoolFile } from '../../../producer/deliver/spool-file.ts'
import { decode, encode } from '../../../wire/codec.ts'
import type { Summary } from '../../../wire/types.ts'
import { headerOf } from '../../support/batch-header.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const maxBytes = 16 << 20
const open = (path: string): SpoolFile => new SpoolFile(path, maxBytes, 1)
const pathIn = (t: TestContext): string => join(temporaryDirectory(t, 'spool'), 'edge', 'spool.sqlite')

const batch = (number: number, byClass = [0, 0, 0, 10], bytes = 1000, run = 'run'): SpoolableBatch => ({
  header: headerOf({ run, batch: number, sequences: [{ cpu: 0, first: number * 10 - 9, last: number * 10 }] }),
  value: Buffer.alloc(bytes, number),
  byClass,
  summaries: 0,
  sent: false
})

const summaryOf = (given: Partial<Summary>): Summary => ({
  process: 0,
  syscall: 'read',
  call: null,
  class: 'io',
  seq: 1,
  time_offset_ns: 0,
  duration_ns: 1,
  count: 1,
  errors: 0,
  total_ns: 1,
  bytes: 1,
  latency: [],
  sizes: [],
  errnos: [],
  limited: 0,
  uncounted: 0,
  ...given
})

const numbers = (file: SpoolFile): number[] => file.oldest(Infinity, Infinity).map(({ value }) => value[0] as number)

test('batches come back in order, byte for byte, from a file that only its owner can read', (t) => {
  const path = pathIn(t)
  const file = open(path)
  t.after(() => file.close())
  assert.deepEqual(file.add([batch(1), batch(2)]), { count: 2, lastId: 2, evicted: [] })
  file.add([batch(3, [1, 2, 3, 4], 900_000)])
  const [, , last] = file.oldest(Infinity, Infinity)
  assert.deepEqual(last, { id: 3, run: 'run', key: 'h', value: Buffer.alloc(900_000, 3), byClass: [1, 2, 3, 4] })
  assert.deepEqual(numbers(file), [1, 2, 3])
  assert.equal(file.oldest(2000, Infinity).length, 2)
  assert.equal(file.oldest(1, Infinity).length, 1)
  assert.equal(file.oldest(Infinity, 1).length, 1)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600)
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
})

test('acknowledged batches are deleted, and a new process finds the others', (t) => {
  const path = pathIn(t)
  const first = open(path)
  first.add([batch(1), batch(2), batch(3)])
  first.acknowledge(2)
  assert.deepEqual(numbers(first), [3])
  first.close()
  const second = open(path)
  t.after(() => second.close())
  assert.equal(second.count, 1)
  assert.equal(second.add([batch(4)]).lastId, 4)
  assert.deepEqual(numbers(second), [3, 4])
})

test('only one process at a time can open the file', (t) => {
  const path = pathIn(t)
  const first = open(path)
  t.after(() => first.close())
  assert.throws(() => open(path), /database is locked/)
})

test('a file of another version is refused', async (t) => {
  const path = pathIn(t)
  open(path).close()
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec('PRAGMA user_version = 99')
  db.close()
  assert.throws(() => open(path), { code: 'CONFIG', message: /has version 99/ })
})

test('a full file evicts the oldest batches without a security event, then the oldest with one', (t) => {
  const file = open(pathIn(t))
  t.after(() => file.close())
  const order: number[][] = []
  const add = (number: number, byClass: number[]): number => {
    const { count, evicted } = file.add([batch(number, byClass, 1 << 20)])
    order.push(...evicted.map(({ byClass }) => [...byClass]))
    return count
  }
  // The write-ahead log leaves room for seven of 1 MiB.
  for (const number of [1, 2, 3]) add(number, [0, 1, 0, number])
  for (const number of [4, 5, 6, 7]) add(number, [0, 0, 0, number])
  assert.deepEqual(order, [])
  add(8, [1, 0, 0, 8])
  add(9, [0, 0, 0, 9])
  assert.deepEqual(order, [
    [0, 0, 0, 4],
    [0, 0, 0, 5]
  ])
  for (const number of [10, 11, 12]) add(number, [1, 0, 0, number])
  assert.deepEqual(order.slice(2), [
    [0, 0, 0, 6],
    [0, 0, 0, 7],
    [0, 0, 0, 9]
  ])
  assert.equal(add(13, [0, 0, 0, 13]), 1)
  assert.deepEqual(order.at(-1), [0, 0, 0, 13], 'the new batch itself, before any with a security event')
  add(14, [0, 1, 0, 14])
  assert.deepEqual(order.at(-1), [0, 1, 0, 1])
  assert.ok(file.bytes <= maxBytes - (8 << 20), `${file.bytes} bytes`)
})

test('evicted events are declared by their own run, and adjacent headers become one', (t) => {
  const file = open(pathIn(t))
  t.after(() => file.close())
  for (let number = 1; number <= 20; number++) {
    file.add([batch(number, [0, 0, 0, 10], 1 << 20, number <= 3 ? 'earlier' : 'run')])
  }
  const [earlier, own, ...rest] = file.oldest(Infinity, Infinity)
  assert.equal(rest.length, 7)
  const first = decode('EventBatch', earlier?.value as Buffer)
  assert.deepEqual([first.run, first.batch], ['earlier', 3])
  assert.deepEqual(first.sequences, [{ cpu: 0, first: 1, last: 30 }])
  assert.deepEqual(first.drops, [{ class: 'io', reason: 'spool_full', count: 30 }])
  const second = decode('EventBatch', own?.value as Buffer)
  assert.deepEqual([second.run, second.batch, second.events.length], ['run', 13, 0])
  assert.deepEqual(second.sequences, [{ cpu: 0, first: 31, last: 130 }])
  assert.deepEqual(second.drops, [{ class: 'io', reason: 'spool_full', count: 100 }])
  assert.equal(file.count, 9)
})

test('new batches that are evicted themselves become one header, and take no room from security events', (t) => {
  const file = open(pathIn(t))
  t.after(() => file.close())
  for (let number = 1; number <= 7; number++) file.add([batch(number, [0, 1, 0, 0], 1 << 20)])
  file.add([batch(8, undefined, 1 << 20), batch(9, undefined, 1 << 20)])
  const { lastId, evicted } = file.add([batch(10, undefined, 1 << 20)])
  assert.deepEqual([lastId, evicted], [10, [{ run: 'run', byClass: [0, 0, 0, 10] }]])
  assert.equal(file.count, 8)
  const last = file.oldest(Infinity, Infinity).at(-1)
  const { batch: number, sequences, drops } = decode('EventBatch', last?.value as Buffer)
  assert.deepEqual([last?.id, number, sequences], [10, 10, [{ cpu: 0, first: 71, last: 100 }]])
  assert.deepEqual(drops, [{ class: 'io', reason: 'spool_full', count: 30 }])
  file.add([batch(11, undefined, 1 << 20)])
  assert.equal(file.count, 9, 'a batch that was sent is not changed')
})

test('a batch of which not even the header fits is not added', (t) => {
  const file = open(pathIn(t))
  t.after(() => file.close())
  const sent = (bytes: number): SpoolableBatch => ({ ...batch(1, undefined, bytes), sent: true })
  for (const bytes of [1 << 20, 1 << 16, 1 << 12, 1]) while (file.add([sent(bytes)]).count > 0);
  const { count, evicted } = file.add([batch(2, undefined, 1 << 20)])
  assert.deepEqual([count, evicted], [0, []])
})

test('summaries are evicted with the events, and declared as dropped by their class', (t) => {
  const file = open(pathIn(t))
  t.after(() => file.close())
  const header = headerOf({ batch: 1, sequences: [{ cpu: -1, first: 1, last: 3 }] })
  const summaries = (['io', 'file', 'io'] as const).map((name, i) => summaryOf({ class: name, seq: i + 1 }))
  const value = encode('EventBatch', { ...header, processes: [], sockets: [], stacks: [], events: [], summaries })
  file.add([{ header, value, byClass: [0, 0, 0, 0], summaries: 3, sent: false }])
  for (let number = 2; number <= 9; number++) file.add([batch(number, [0, 1, 0, 0], 1 << 20)])
  const [first] = file.oldest(Infinity, Infinity)
  const left = decode('EventBatch', first?.value as Buffer)
  assert.deepEqual(left.summaries, [])
  assert.deepEqual(left.sequences[0], { cpu: -1, first: 1, last: 3 })
  assert.deepEqual(left.drops.slice(0, 2), [
    { class: 'file', reason: 'spool_full', count: 1 },
    { class: 'io', reason: 'spool_full', count: 2 }
  ])
})

test('a batch that was sent is never evicted, because Kafka may have it', (t) => {
  const file = open(pathIn(t))
  t.after(() => file.close())
  for (let number = 1; number <= 7; number++) file.add([batch(number, [0, 0, 0, number], 1 << 20)])
  file.oldest(1, 1)
  assert.deepEqual(file.add([batch(8, [0, 0, 0, 8], 1 << 20)]).evicted, [{ run: 'run', byClass: [0, 0, 0, 2] }])
  file.oldest(Infinity, Infinity)
  const { count, evicted } = file.add([batch(9, [0, 0, 0, 9], 1 << 20), batch(10, [0, 1, 0, 0], 1 << 20)])
  assert.deepEqual([count, evicted], [1, [{ run: 'run', byClass: [0, 0, 0, 9] }]], 'no room for the second')
})

test('an empty spool returns its space to the file system', (t) => {
  const path = pathIn(t)
  const file = open(path)
  const added = Array.from({ length: 7 }, (_, i) => file.add([batch(i + 1, undefined, 1 << 20)])).at(-1)
  file.acknowledge(added?.lastId as number)
  assert.equal(file.bytes, 0)
  for (let i = 0; i < 10; i++) file.shrink(1000)
  file.close()
  assert.ok(statSync(path).size < 1 << 18, `${statSync(path).size} bytes`)
})
