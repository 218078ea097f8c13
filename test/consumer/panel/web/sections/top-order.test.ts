import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopRow } from '../../../../../consumer/panel/protocol.ts'
import { inOrder } from '../../../../../consumer/panel/web/sections/top-order.ts'

const row = (workload: string, more: Partial<TopRow> = {}): TopRow => ({
  host: '*',
  workload,
  pid: null,
  comm: null,
  call: null,
  goFunction: null,
  callsPerSecond: 1,
  failedPerSecond: 0,
  p50: 0,
  p99: 0,
  timeShare: 0,
  ...more
})

test('rows are ordered by the column, largest first; equal rows by name', () => {
  const rows = [row('b'), row('a'), row('c', { callsPerSecond: 5 }), row('d', { p99: 9 })]
  const names = (column: 'callsPerSecond' | 'p99') => inOrder(rows, column).map(({ workload }) => workload)
  assert.deepEqual(names('callsPerSecond'), ['c', 'a', 'b', 'd'])
  assert.deepEqual(names('p99'), ['d', 'a', 'b', 'c'])
})
