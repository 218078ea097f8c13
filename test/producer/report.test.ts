import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { Report } from '../../producer/report.ts'

const recorded = (): { report: Report; lines: string[] } => {
  const lines: string[] = []
  const log = pino(
    { level: 'info' },
    { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) }
  )
  return { report: new Report(log, 0), lines }
}

test('a summary of rates is logged every ten seconds, whatever the number of calls', () => {
  const { report, lines } = recorded()
  for (let ms = 0; ms <= 25_000; ms += 50) report.update({ seen: ms * 2, published: ms, dropped: 0 }, ms)
  assert.deepEqual(lines, [
    '2000 events/s seen, 1000 published, 0 dropped',
    '2000 events/s seen, 1000 published, 0 dropped'
  ])
})

test('dropping is logged when it begins and when it has ended, not in between', () => {
  const { report, lines } = recorded()
  for (let ms = 0; ms < 9_000; ms += 50) report.update({ dropped: Math.min(ms, 1_000) }, ms)
  assert.equal(lines.length, 1)
  assert.match(lines[0] as string, /being dropped: the ring is full/)
  for (let ms = 9_000; ms < 30_000; ms += 50) report.update({ dropped: 1_000 }, ms)
  assert.equal(lines.filter((line) => line === 'events are no longer dropped; 1000 were').length, 1)
})

test('the warning says when it is Kafka that is too slow', () => {
  const { report, lines } = recorded()
  report.update({ dropped: 5, dropped_backlog_full: 5, backlogBytes: 1_000 }, 1)
  assert.match(lines[0] as string, /Kafka does not take them fast enough/)
})

test('the warning says when it is the spool that has no room left', () => {
  const { report, lines } = recorded()
  report.update({ dropped: 5, dropped_spool_full: 5, spoolBytes: 1_000 }, 1)
  assert.match(lines[0] as string, /longer than the spool has room \(edge\.spool\.maxBytes\)/)
})
