import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatStatus, type Totals } from '../../../cli/up/status-line.ts'

const totals: Totals = { seen: 0, published: 0, dropped: 0, rollups: 0, alerts: 0, audit: 0, lag: 0 }

test('the status has the rate since the previous line, and totals since the start', () => {
  const start = { atMs: 0, totals }
  const before = { atMs: 10_000, totals: { ...totals, seen: 1000 } }
  const now = { atMs: 12_000, totals: { ...totals, seen: 26_000, lag: 7 } }
  assert.equal(
    formatStatus(start, before, now),
    '12.0 s: 12.5k events/s · seen 26,000 · dropped 0 · lag 7 · rollups 0 · audit 0 · alerts 0'
  )
})

test('two lines at the same moment have a rate of 0', () => {
  const moment = { atMs: 5, totals }
  assert.match(formatStatus(moment, moment, moment), /: 0 events\/s/)
})
