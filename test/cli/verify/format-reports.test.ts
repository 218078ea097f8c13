import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatReports } from '../../../cli/verify/format-reports.ts'
import { finding } from '../../../verify/finding.ts'
import type { HostReport } from '../../../verify/host-report.ts'

const report = (more: Partial<HostReport>): HostReport => ({
  host: 'web-1',
  boot: '0123456789abcdef',
  agrees: true,
  runs: 1,
  batches: 3,
  accounted: 11,
  events: 9,
  summaries: 1,
  dropped: 1,
  duplicates: 0,
  partial: 0,
  classes: [],
  unfinished: [],
  findings: [],
  ...more
})

const lines = (...reports: HostReport[]): string[] => formatReports(reports, Number.POSITIVE_INFINITY)

test('each host and boot has a row with its verdict', () => {
  const [header, agreeing, disagreeing] = lines(report({}), report({ host: 'web-2', agrees: false }))
  assert.match(header ?? '', /^host +boot +runs +batches +seqs +events +summaries +dropped +duplicates +verdict$/)
  assert.match(agreeing ?? '', /^web-1 +01234567 +1 +3 +11 +9 +1 +1 +0 +agrees$/)
  assert.match(disagreeing ?? '', /^web-2 .* DISAGREES$/)
})

test("classes are summed over hosts, with the ledger's counts and the topic's", () => {
  const io = { class: 'io', off: 2, counted: 7, emitted: 9, dropped: 1, events: 9, summarised: 7 } as const
  const text = lines(report({ classes: [io] }), report({ host: 'web-2', classes: [io] }))
  assert.match(text.join('\n'), /^io +38 +4 +14 +18 +2 +18 +14$/m)
})

test('findings, unfinished runs and partial run chains follow, by host', () => {
  const unfinished = [{ run: 'run-1', batch: 2, until: '2026-01-31T12:00:00.000Z', pending: 2 }]
  const findings = [finding('unreadable', 'offset 7 of partition 0 is no batch')]
  assert.deepEqual(
    lines(report({ partial: 1, unfinished }), report({ host: 'web-2', boot: null, findings })).slice(-3),
    [
      'web-1 01234567: 1 run chain(s) began before the first batch read: their ledgers are not compared',
      'web-1 01234567: run run-1 is still going: verified up to batch 2 (2026-01-31T12:00:00.000Z), 2 sequence numbers pending',
      'web-2: unreadable: offset 7 of partition 0 is no batch'
    ]
  )
})
