import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Key } from '../../../consumer/rollups/key.ts'
import { KeyTable } from '../../../consumer/rollups/key-table.ts'

const keyOf = (fields: Partial<Key> = {}): Key => ({
  workload: '/bin/a',
  pid: 1,
  startUs: 1,
  goFunction: null,
  code: 0,
  ...fields
})

test('keys that differ in any part have an entry each, however many they are', () => {
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

test('keepOnly() removes the other entries', () => {
  const table = new KeyTable<{ key: Key }>()
  for (let pid = 1; pid <= 1000; pid++) table.add({ key: keyOf({ pid }) })
  table.keepOnly(({ key }) => key.pid % 10 === 0)
  assert.equal(table.entries.length, 100)
  for (let pid = 1; pid <= 1000; pid++)
    assert.equal(table.find(keyOf({ pid }))?.key.pid, pid % 10 === 0 ? pid : undefined)
})
