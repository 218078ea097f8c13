import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { DropWatch } from '../../../producer/source/drop-watch.ts'

const recorded = (): { watch: DropWatch; lines: string[] } => {
  const lines: string[] = []
  const log = pino(
    { level: 'info' },
    { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) }
  )
  return { watch: new DropWatch(log), lines }
}

test('dropping is logged when it begins and when it has ended, not in between', () => {
  const { watch, lines } = recorded()
  for (let ms = 0; ms < 9_000; ms += 50) watch.update({ dropped: Math.min(ms, 1_000) }, ms)
  assert.equal(lines.length, 1)
  assert.match(lines[0] as string, /being dropped: the ring is full/)
  for (let ms = 9_000; ms < 30_000; ms += 50) watch.update({ dropped: 1_000 }, ms)
  assert.equal(lines.filter((line) => line === 'events are no longer dropped; 1000 were').length, 1)
})

test('the warning says when it is Kafka that is too slow', () => {
  const { watch, lines } = recorded()
  watch.update({ dropped: 5, backlogBytes: 20 << 20 }, 1)
  assert.match(lines[0] as string, /Kafka does not take them fast enough/)
})

test('the warning says when it is the spool that has no room left', () => {
  const { watch, lines } = recorded()
  watch.update({ dropped: 5, dropped_spool_full: 5, spoolBytes: 1_000 }, 1)
  assert.match(lines[0] as string, /longer than the spool has room \(edge\.spool\.maxBytes\)/)
})
