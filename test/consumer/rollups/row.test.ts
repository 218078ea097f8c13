import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Row, RowTable } from '../../../consumer/rollups/row.ts'
import { processOf } from '../support/batches.ts'

test('a row sums what calls returned and took; what an error returned is no bytes', () => {
  const row = new Row(processOf(), 0)
  row.add(100, 10, true)
  row.add(300, -11, true)
  row.add(200, 5, false)
  const { count, errors, bytes, totalNs, maxNs } = row
  assert.deepEqual(
    { count, errors, bytes, totalNs, maxNs },
    { count: 3, errors: 1, bytes: 10, totalNs: 600, maxNs: 300 }
  )
})

test('each process and call has one row, however many there are; a pid that is used again has another', () => {
  const table = new RowTable(100_000)
  const indexes = new Map<string, number>()
  for (let round = 0; round < 2; round++) {
    for (let pid = 1; pid <= 2000; pid++) {
      for (const [start_us, code] of [
        [pid, 0],
        [pid, 1],
        [pid + 2 ** 40, 0]
      ] as const) {
        const key = `${pid} ${start_us} ${code}`
        const index = table.indexOf(processOf({ pid, start_us }), code)
        assert.equal(index, indexes.get(key) ?? indexes.size)
        indexes.set(key, index)
      }
    }
  }
  assert.equal(table.rows.length, 6000)
})

test('beyond the bound there is a row of the others for each call, and rows that were there go on', () => {
  const table = new RowTable(40)
  const indexOf = (pid: number, code: number) => table.indexOf(processOf({ pid, start_us: pid }), code)
  for (let pid = 1; pid <= 40; pid++) indexOf(pid, 0)
  const [others, otherCall] = [indexOf(41, 0), indexOf(41, 1)]
  assert.notEqual(others, otherCall)
  assert.equal(indexOf(42, 0), others)
  assert.equal(indexOf(7, 0), 6)
  assert.deepEqual([table.rows[others]?.pid, table.rows[others]?.comm, table.rows[otherCall]?.code], [0, 'other', 1])
})
