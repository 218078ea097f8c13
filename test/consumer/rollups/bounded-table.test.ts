import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedTable } from '../../../consumer/rollups/bounded-table.ts'
import { processOf } from '../support/batches.ts'

test('keys beyond the bound share an entry for each call, earlier keys keep theirs', () => {
  const table = new BoundedTable(40, (key, process) => ({ key, isOther: process === undefined }))
  const of = (pid: number, code = 0) =>
    table.of({ workload: '/bin/a', pid, startUs: 1, goFunction: null, code }, processOf())
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
