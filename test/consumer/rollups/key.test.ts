import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedTable, type Key, KeyTable } from '../../../consumer/rollups/key.ts'
import { processOf } from '../support/batches.ts'

const keyOf = (fields: Partial<Key> = {}): Key => ({
  workload: '/bin/a',
  pid: 1,
  startUs: 1,
  goFunction: null,
  code: 0,
  ...fields
})

test('each key has one entry, however many there are, and whichever part of it differs', () => {
  const table = new KeyTable<{ key: Key }>()
  const keys = Array.from({ length: 2000 }, (_, i) => [
    keyOf({ pid: i + 1 }),
    keyOf({ pid: i + 1, startUs: 2 ** 40 + i }),
    keyOf({ pid: i + 1, workload: '/bin/b' }),
    keyOf({ pid: i + 1, code: 7 }),
    keyOf({ pid: i + 1, goFunction: 'main.main' }),
    keyOf({ pid: 0, startUs: 0, workload: `/bin/${i}` })
  ]).flat()
  for (const key of keys) {
    assert.equal(table.find(key), undefined)
    table.add({ key })
  }
  for (const key of keys) assert.equal(table.find({ ...key })?.key, key)
  assert.equal(table.entries.length, keys.length)
})

test('what is not kept is not found any more, and what is kept still is', () => {
  const table = new KeyTable<{ key: Key }>()
  for (let pid = 1; pid <= 1000; pid++) table.add({ key: keyOf({ pid }) })
  table.keepOnly(({ key }) => key.pid % 10 === 0)
  assert.equal(table.entries.length, 100)
  for (let pid = 1; pid <= 1000; pid++)
    assert.equal(table.find(keyOf({ pid }))?.key.pid, pid % 10 === 0 ? pid : undefined)
})

test('beyond the bound there is an entry of the others for each call, and entries that were there go on', () => {
  const table = new BoundedTable(40, (key, process) => ({ key, isOther: process === undefined }))
  const of = (pid: number, code = 0) => table.of(keyOf({ pid, code }), processOf())
  const first = of(1)
  for (let pid = 2; pid <= 40; pid++) assert.equal(of(pid).isOther, false)
  const others = of(41)
  assert.deepEqual(others, {
    key: { workload: 'other', pid: 0, startUs: 0, goFunction: null, code: 0 },
    isOther: true
  })
  assert.equal(of(42), others)
  assert.equal(table.otherOf(0), others)
  assert.notEqual(of(41, 1), others)
  assert.equal(of(1), first)
  assert.equal(table.entries.length, 42)
})
