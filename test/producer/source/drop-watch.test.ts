import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { DropWatch } from '../../../producer/source/drop-watch.ts'

interface Line {
  readonly msg: string
  readonly dropped: number
}

const loggedBy = (updates: (watch: DropWatch) => void): Line[] => {
  const lines: Line[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as Line) })
  updates(new DropWatch(log))
  return lines
}

test('dropping is logged once when it begins, and with its count when it stops', () => {
  const lines = loggedBy((watch) => {
    for (let ms = 0; ms < 9_000; ms += 50) watch.update({ dropped: Math.min(ms, 1_000) }, ms)
    for (let ms = 9_000; ms < 30_000; ms += 50) watch.update({ dropped: 1_000 }, ms)
  })
  assert.equal(lines.length, 2)
  assert.match(lines[0]?.msg ?? '', /^dropping events: the ring is full/)
  assert.partialDeepStrictEqual(lines[1], { msg: 'stopped dropping events', dropped: 1_000 })
})

test('the warning names a Kafka that is too slow', () => {
  const [line] = loggedBy((watch) => watch.update({ dropped: 5, backlogBytes: 20 << 20 }, 1))
  assert.match(line?.msg ?? '', /Kafka is slower than the events/)
})

test('the warning names a spool that is full', () => {
  const [line] = loggedBy((watch) => watch.update({ dropped: 5, dropped_spool_full: 5, spoolBytes: 1_000 }, 1))
  assert.match(line?.msg ?? '', /until the spool was full \(edge\.spool\.maxBytes\)/)
})
