import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepColumns } from '../../../consumer/loop/keep-columns.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { trimmed } from '../../support/columns.ts'
import { batchOf, eventOf, summaryOf } from '../support/batches.ts'
import { random } from '../support/random.ts'

for (let seed = 1; seed <= 20; seed++) {
  test(`columns after a removal equal those of a batch without the removed rows (${seed})`, () => {
    const next = random(seed)
    const kept = next()
    const below = (bound: number): number => Math.floor(next() * bound)
    const buckets = () => Array.from({ length: below(5) }, () => ({ index: below(100), count: below(100) }))
    const batch = batchOf({
      events: Array.from({ length: below(50) }, () =>
        eventOf({ cpu: below(4), ret: below(100), duration_ns: below(99) })
      ),
      summaries: Array.from({ length: below(50) }, () =>
        summaryOf({ count: below(100), latency: buckets(), errnos: buckets() })
      )
    })
    const pick = (rows: readonly unknown[]): number[] => [...rows.keys()].filter(() => next() < kept)
    const events = pick(batch.events)
    const summaries = pick(batch.summaries)
    const columns = columnsOf(batch)
    keepColumns(columns, { events, summaries })
    const expected = columnsOf({
      ...batch,
      events: events.flatMap((at) => batch.events[at] ?? []),
      summaries: summaries.flatMap((at) => batch.summaries[at] ?? [])
    })
    assert.deepEqual(trimmed(columns), expected)
  })
}
