import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BusiestSeries } from '../../../consumer/rollups/busiest-series.ts'

const minuteUs = 60_000_000

const setUp = () => {
  const table = new BusiestSeries(1)
  const count = (syscall: string, calls: number) =>
    table.count(BusiestSeries.keyOf('web-1', '/bin/a', syscall), { host: 'web-1', workload: '/bin/a', syscall }, calls)
  const chosen = () => Array.from(table.values(), ({ labels }) => labels.call)
  table.advance(0)
  return { table, count, chosen }
}

test('the first keys have the series, later ones none', () => {
  const { count, chosen } = setUp()
  assert.ok(count('read', 1) !== undefined)
  assert.equal(count('write', 100), undefined)
  assert.deepEqual(chosen(), ['read'])
})

test('a minute later a key with twice the calls of a series replaces it, one with fewer does not', () => {
  for (const [calls, expected] of [
    [20, 'write'],
    [19, 'read']
  ] as const) {
    const { table, count, chosen } = setUp()
    count('read', 10)
    count('write', calls)
    table.advance(minuteUs - 1)
    assert.deepEqual(chosen(), ['read'])
    table.advance(minuteUs)
    assert.deepEqual(chosen(), [expected])
  }
})
