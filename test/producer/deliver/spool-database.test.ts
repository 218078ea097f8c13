import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SpoolDatabase } from '../../../producer/deliver/spool-database.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const schema = 'CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;'
const insert = 'INSERT INTO items (value) VALUES (?)'

const open = (t: TestContext): SpoolDatabase => {
  const path = join(temporaryDirectory(t, 'spool'), 'edge', 'spool.sqlite')
  const database = new SpoolDatabase({ path, maxBytes: 16 << 20, version: 7, schema })
  t.after(() => database.close())
  return database
}

test('a transaction whose work throws changes nothing', (t) => {
  const database = open(t)
  database.run(insert, Buffer.alloc(1))
  const work = (): void => {
    database.run(insert, Buffer.alloc(1))
    throw new Error('refused')
  }
  assert.throws(() => database.transact(work), /refused/)
  assert.equal(database.number('SELECT count(*) FROM items'), 1)
  assert.equal(database.number('PRAGMA user_version'), 7)
})

test('there is room for a row as long as the file stays within its bound', (t) => {
  const database = open(t)
  let rows = 0
  for (; database.hasRoomFor(1 << 20); rows++) database.run(insert, Buffer.alloc(1 << 20))
  assert.equal(rows, 7)
  assert.ok(database.usedBytes <= 8 << 20, `${database.usedBytes} bytes`)
  assert.ok(database.hasRoomFor(1000), 'for a small one')
})
